"""The names of all programs and builtins, for those who only ask what is known; a test compares them with it all."""

from __future__ import annotations

NAMES = frozenset({
    "[", "apk", "apt-get", "arch", "ash", "awk", "base64", "basename", "bash", "cat", "chmod", "chown", "chroot",
    "clear", "cp", "curl", "cut", "date", "df", "diff", "dirname", "du", "echo", "egrep", "env", "expr", "false",
    "file", "find", "free", "getent", "grep", "head", "help", "hexdump", "host", "hostname", "id", "ifconfig", "ip",
    "kill", "killall", "less", "ln", "logger", "ls", "md5sum", "mkdir", "mktemp", "more", "mount", "mv", "nano", "nc",
    "netstat", "nginx", "nohup", "nproc", "nslookup", "od", "pgrep", "pidof", "ping", "printenv", "printf", "ps",
    "pwd", "readlink", "realpath", "reset", "rev", "rm", "rmdir", "sed", "seq", "sh", "sha1sum", "sha256sum",
    "sha512sum", "shuf", "sleep", "sort", "ss", "ssh", "stat", "stty", "sync", "tac", "tail", "tar", "tee", "test",
    "time", "timeout", "top", "touch", "tr", "true", "tty", "uname", "uniq", "uptime", "vi", "watch", "wc", "wget",
    "which", "whoami", "xargs", "yes"
})  # fmt: skip

BUILTIN_NAMES = frozenset({
    ".", ":", "[", "[[", "alias", "break", "cd", "command", "continue", "declare", "echo", "eval", "exec", "exit",
    "export", "false", "hash", "history", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly",
    "return", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type", "typeset", "ulimit",
    "umask", "unalias", "unset", "wait"
})  # fmt: skip

NOT_HERE = frozenset({"vi", "nano", "awk", "apt-get", "apk", "ssh"})
"""Programs that only say that they are not here."""
