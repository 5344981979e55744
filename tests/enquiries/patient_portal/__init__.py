"""enquiries/patient_portal: a patient's own request."""
