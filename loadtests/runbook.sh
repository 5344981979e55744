#!/usr/bin/env bash
# Follows docs/operations.md to the letter in an empty Debian with a systemd of its own: every block of commands that is marked "sh",
# in its order, and after each asks the site for a page over TLS. Needs root, debootstrap, and the ports 80, 443, 8000 and 8668; takes
# some ten minutes. What differs from the text: SOURCE is a copy of this folder, the certificate and the owner's key are made here,
# "offsite" is a WebDAV server on this machine, and the other machine is this one after its data and settings are gone.
# Usage: make runbook. ROOT=/folder keeps the empty Debian there for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD empty=${ROOT:-$(mktemp -d)} root=$(mktemp -d) unit=backcare-runbook.$$
steps=$(mktemp) ; log=$(mktemp)

[ -x "$empty/bin/bash" ] || debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,curl bookworm "$empty" >"$log"
cp -a "$empty/." "$root"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
[ -e /etc/pip.conf ] && cp /etc/pip.conf "$root/etc/"
for off in networkd resolved udevd timesyncd logind; do ln -sf /dev/null "$root/etc/systemd/system/systemd-$off.service"; done
for off in getty@tty1 console-getty; do ln -sf /dev/null "$root/etc/systemd/system/$off.service"; done
git clone --quiet "$here" "$root/src/backcare"

# The blocks of the document, in its order.
python3 - "$here/docs/operations.md" >"$steps" <<'END'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
text = re.sub(r"(SOURCE=)\S+", r"\1/src/backcare", text)
own = """mkdir -p /etc/letsencrypt/live/$DOMAIN
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$DOMAIN -addext subjectAltName=DNS:$DOMAIN \\
  -keyout /etc/letsencrypt/live/$DOMAIN/privkey.pem -out /etc/letsencrypt/live/$DOMAIN/fullchain.pem
"""
text, certificates = re.subn(r"certbot certonly.*?nginx'\n", lambda _: own, text, flags=re.S)
assert certificates == 1
key = """apt-get install --yes age
age-keygen -o owner.key
export RECIPIENT=$(age-keygen -y owner.key)
"""
text, recipients = re.subn(r"export RECIPIENT=.*\n", lambda _: key, text)
assert recipients == 1
blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
[start] = [block for block in blocks if "enable --now" in block]
before = {
    "person --export": """sent=$(post /report/ report-name=Ada report-email=somebody@example.org report-sheet=about-back-pain)
[ "$sent" = 303 ]""",
    "backcare-offsite": """apt-get install --yes rclone
mkdir -p /srv/offsite /var/lib/backcare/.config/rclone
printf '[offsite]\\ntype = webdav\\nurl = http://127.0.0.1:8668\\nvendor = other\\n' > /var/lib/backcare/.config/rclone/rclone.conf
chown -R backcare: /var/lib/backcare/.config
systemd-run --quiet --unit offsite rclone serve webdav /srv/offsite --addr 127.0.0.1:8668
sleep 2""",
}
after = {
    "backcare-move.tar /etc": "rm -r /etc/backcare /var/lib/backcare; install -d -m 700 -o backcare -g backcare /var/lib/backcare",
    "rm ~/backcare-move.tar": start,
    "person --export": "grep -q somebody@example.org ~/backcare-wrong-mail.json",
    "person --erase": 'if echo "$ADDRESS" | backcare person --export; then exit 1; fi',
    # It was made by hand. Now by the timer's unit, and then with nobody there to take it.
    "backcare-offsite": """systemctl start backcare-backup.service
[ "$(grep -l -a '^age-encryption.org' /srv/offsite/backcare/*.tar.gz.age | wc -l)" = 2 ]
ask /healthz | grep '"offsite": "ok"'
systemctl stop offsite
if systemctl start backcare-backup.service; then exit 1; fi
ask /healthz | grep '"offsite": "failed"'
systemctl reset-failed
printf '#!/bin/sh\\n' > /usr/local/bin/backcare-offsite""",
}
print("set -euo pipefail")
print("tls() { curl --silent --show-error --cacert /etc/letsencrypt/live/$DOMAIN/fullchain.pem --resolve $DOMAIN:443:127.0.0.1 \"$@\"; }")
print("ask() { tls --fail --retry 20 --retry-all-errors --retry-delay 1 https://$DOMAIN$1; }")
print('post() { address=https://$DOMAIN$1; shift; tls --output /dev/null --write-out "%{http_code}" --header "Origin: https://$DOMAIN"'
      ' $(printf -- " --data-urlencode %s" "$@") "$address"; }')
for number, block in enumerate(blocks, start=1):
    print(f"echo '== block {number} of {len(blocks)}'")
    print(*(commands for words, commands in before.items() if words in block), sep="\n")
    print(block)
    print(*(commands for words, commands in after.items() if words in block), sep="\n")
    if "owner_code" in "".join(blocks[:number]) and "backcare-move.tar /etc" not in block:
        print("ask / | grep -q '</html>'; ask /healthz; echo")
# Debian's own rules for the logs: nginx goes on in a new file.
print("""logrotate --force /etc/logrotate.d/nginx
ask /robots.txt > /dev/null
grep -q 'GET /robots.txt 200' /var/log/nginx/backcare.log
[ -s /var/log/nginx/backcare.log.1 ]""")
END
cp "$steps" "$root/steps.sh"

boot() {
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --bind /dev "$root/dev"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/old"
  cd "$root"
  pivot_root . old
  umount -l /old
  exec env -i "container=$1" PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target
}
export -f boot
export root
unshare --mount --pid --fork --uts --ipc --cgroup bash -c "boot lxc" "$unit" >>"$log" 2>&1 &
outside=$!
init() { pgrep --parent "$outside" | head -n 1; }
inside() { nsenter --target "$(init)" --mount --pid --uts --ipc env -i HOME=/root LANG=C.UTF-8 ${PIP_CERT:+PIP_CERT=/etc/ssl/certs/ca-certificates.crt} \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
trap 'kill -KILL "$(init)" 2>/dev/null || true; rm -rf "$steps" "$log" "$root"; [ -n "${ROOT:-}" ] || rm -rf "$empty"' EXIT
for _ in $(seq 60); do inside systemctl is-system-running 2>/dev/null | grep -Eq "running|degraded" && break; sleep 1; done
inside bash /steps.sh
for unit in web mail backup purge; do inside systemd-analyze security --no-pager backcare-$unit.service | tail -n 1; done
echo "The document works as it stands."
