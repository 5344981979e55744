"""WordPress as Debian packages it, with a page of the same words: php-fpm of one process, MariaDB, and nginx in front of both."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from loadtests.bench.servers import Together, server
from tests.support.smtp import free_port, wait_for

PROGRAM = Path("/usr/share/wordpress")
PACKAGES = "wordpress, wordpress-theme-twentytwentythree, php-fpm, php-mysql, mariadb-server"
ACCOUNT = "www-data"
# As its own pages of installation do. The theme is the newest that Debian has.
INSTALL = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require 'wp-load.php';
require 'wp-admin/includes/upgrade.php';
wp_install('Peer', 'peer', 'peer@example.com', true, '', $argv[1]);
$page = wp_insert_post(['post_type' => 'page', 'post_status' => 'publish', 'post_title' => 'Long-term pain',
                        'post_content' => file_get_contents($argv[2])]);
update_option('show_on_front', 'page');
update_option('page_on_front', $page);
switch_theme('twentytwentythree');
"""
CONFIG = """<?php
define('DB_NAME', 'peer');
define('DB_USER', 'peer');
define('DB_PASSWORD', '{password}');
define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4');
define('AUTH_KEY', '{password}');
define('WP_HOME', 'http://127.0.0.1');
define('WP_SITEURL', 'http://127.0.0.1');
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
FPM = """[global]
error_log = {folder}/fpm.log
daemonize = no
[peer]
user = {account}
group = {account}
listen = 127.0.0.1:{port}
pm = static
pm.max_children = 1
"""


def is_here() -> bool:
    """Whether PACKAGES are installed, and we are root, which starting them takes."""
    return PROGRAM.exists() and _fpm() != "" and Path("/usr/sbin/mariadbd").exists() and os.geteuid() == 0


@contextmanager
def wordpress(folder: Path, words: str, nginx) -> Iterator[Together]:
    """`nginx` makes the command that serves a configuration; the home page has the words."""
    folder.mkdir()
    shutil.copytree(PROGRAM, site := folder / "site", symlinks=False, ignore_dangling_symlinks=True)
    password, socket, fpm, front = secrets.token_hex(12), folder / "db/socket", free_port(), free_port()
    (site / "wp-config.php").write_text(CONFIG.format(password=password, socket=socket))
    (folder / "install.php").write_text(INSTALL)
    (folder / "words.html").write_text(words)
    (folder / "fpm.conf").write_text(FPM.format(folder=folder, account=ACCOUNT, port=fpm))
    (folder / "db").mkdir()
    shutil.chown(folder / "db", "mysql")
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    data = ["--no-defaults", f"--datadir={folder}/db/data", "--user=mysql"]
    subprocess.run(["/usr/bin/mariadb-install-db", *data, "--skip-test-db"], **quiet)
    database = free_port()
    listening = [f"--port={database}", "--bind-address=127.0.0.1", f"--socket={socket}"]
    with ExitStack() as stack:
        parts = [stack.enter_context(server(["/usr/sbin/mariadbd", *data, *listening], database))]
        wait_for(socket.exists, what="the start of MariaDB")
        made = f"CREATE DATABASE peer; GRANT ALL ON peer.* TO peer@localhost IDENTIFIED BY '{password}'"
        subprocess.run(
            ["/usr/bin/mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--execute", made], **quiet
        )
        told = [secrets.token_hex(12), folder / "words.html"]
        subprocess.run(["/usr/bin/php", folder / "install.php", *told], cwd=site, **quiet)
        php = [_fpm(), "--nodaemonize", "--fpm-config", str(folder / "fpm.conf")]
        parts.append(stack.enter_context(server(php, fpm)))
        index = f"include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {site}/index.php;"
        index += f" fastcgi_pass 127.0.0.1:{fpm};"
        found = f"server {{ listen 127.0.0.1:{front}; access_log off; location / {{ {index} }} }}"
        parts.append(stack.enter_context(server(nginx(folder / "nginx", found), front)))
        yield Together(front, parts)


def _fpm() -> str:
    """Debian's has its version in the name."""
    return next((str(each) for each in sorted(Path("/usr/sbin").glob("php-fpm*"), reverse=True)), "")
