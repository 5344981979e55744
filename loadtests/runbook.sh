#!/usr/bin/env bash
# Follows docs/operations.md to the letter in an empty Debian with a systemd of its own: installs, serves over TLS, backs up and
# restores, upgrades and rolls back, changes the keys. Needs root, debootstrap, and the ports 80, 443 and 8000; takes some five
# minutes. Two things differ from the text: SOURCE is a copy of this folder, and the certificate is one that this script makes.
# Usage: make runbook. ROOT=/folder keeps the Debian there for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD root=${ROOT:-$(mktemp -d)} unit=backcare-runbook.$$
steps=$(mktemp) ; log=$(mktemp)

[ -x "$root/bin/bash" ] || debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,curl bookworm "$root" >"$log"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
[ -e /etc/pip.conf ] && cp /etc/pip.conf "$root/etc/"
for off in networkd resolved udevd timesyncd logind; do ln -sf /dev/null "$root/etc/systemd/system/systemd-$off.service"; done
for off in getty@tty1 console-getty; do ln -sf /dev/null "$root/etc/systemd/system/$off.service"; done
rm -rf "$root/opt/backcare" "$root/var/lib/backcare" "$root/etc/backcare" "$root/src" "$root"/etc/systemd/system/backcare-*
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
blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
print("set -euo pipefail")
print("ask() { curl --silent --show-error --fail --cacert /etc/letsencrypt/live/$DOMAIN/fullchain.pem"
      " --resolve $DOMAIN:443:127.0.0.1 --retry 20 --retry-all-errors --retry-delay 1 https://$DOMAIN$1; }")
for number, block in enumerate(blocks, start=1):
    print(f"echo '== block {number} of {len(blocks)}'")
    print(block)
    if "owner_code" in "".join(blocks[:number]):
        print("ask / | grep -q '</html>'; ask /healthz; echo")
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
trap 'kill -KILL "$(init)" 2>/dev/null || true; rm -f "$steps" "$log"; [ -n "${ROOT:-}" ] || rm -rf "$root"' EXIT
for _ in $(seq 60); do inside systemctl is-system-running 2>/dev/null | grep -Eq "running|degraded" && break; sleep 1; done
inside bash /steps.sh
inside systemd-analyze security --no-pager backcare-web.service | tail -n 1
echo "The document works as it stands."
