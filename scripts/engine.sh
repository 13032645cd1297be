#!/usr/bin/env bash
# Makes sure that a Docker Engine answers: installs Debian's docker.io where no dockerd is found, starts dockerd in the
# background where nothing answers, waits for it, and says in one line what runs and how to stop it.
# For Debian (and Ubuntu) machines, as root: CI, containers, virtual machines. Safe to run again at any time.
set -euo pipefail

readonly socket=/var/run/docker.sock
readonly pidfile=/var/run/docker.pid
readonly log=${KSERVE_LOCAL_DOCKERD_LOG:-/var/log/kserve-local-dockerd.log}
readonly wait_seconds=60

say() { printf 'engine: %s\n' "$*"; }
fail() {
  printf 'engine: %s\n' "$@" >&2
  exit 1
}

# $1: the engine's address. Prints its version, fails where nothing answers.
version_at() {
  command -v docker >/dev/null || return 1
  timeout 10 docker --host "$1" version --format '{{.Server.Version}}' 2>/dev/null
}

if [[ -n "${DOCKER_HOST:-}" ]]; then
  if version=$(version_at "$DOCKER_HOST"); then
    say "Docker $version answers at $DOCKER_HOST"
    exit 0
  fi
  fail "nothing answers at DOCKER_HOST=$DOCKER_HOST" "Start that engine, or unset DOCKER_HOST to have one started here."
fi
if version=$(version_at "unix://$socket"); then
  say "Docker $version answers already at unix://$socket"
  exit 0
fi

[[ "$(uname -s)" == Linux ]] || fail "no engine answers, and this script starts one on Linux only" "Install Docker Desktop, Colima, Rancher Desktop or Podman and start it."
[[ "$(id -u)" == 0 ]] || fail "no engine answers, and starting one needs root" "Run: sudo bash scripts/engine.sh"

if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
  command -v apt-get >/dev/null || fail "dockerd is missing, and there is no apt-get to install it with" "Install Docker Engine by your distribution's own means, then run this again."
  say "installing docker.io"
  export DEBIAN_FRONTEND=noninteractive
  install_log=$(mktemp)
  # iptables: dockerd needs it for the bridge; without recommends it may be missing.
  if ! { apt-get update && apt-get install -y --no-install-recommends docker.io iptables ca-certificates; } >"$install_log" 2>&1; then
    tail -n 20 "$install_log" >&2
    fail "apt-get could not install docker.io; the lines above are its last, all of them are in $install_log"
  fi
  rm -f "$install_log"
  hash -r
fi

# A dockerd that was killed is a zombie for a while, and its number may be somebody else's later.
starting() {
  local pid
  pid=$(cat "$pidfile" 2>/dev/null) || return 1
  [[ -n "$pid" && "$(cat "/proc/$pid/comm" 2>/dev/null)" == dockerd ]] || return 1
  ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$pid/status" 2>/dev/null
}

# The containerd of a dockerd that was killed holds its data, and the next one waits for it in vain.
end_orphan() {
  local pid file=/var/run/docker/containerd/containerd.pid
  pid=$(cat "$file" 2>/dev/null) || return 0
  if [[ -n "$pid" && "$(cat "/proc/$pid/comm" 2>/dev/null)" == containerd ]]; then
    kill "$pid" 2>/dev/null || true
    for _ in {1..50}; do
      grep -q '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" 2>/dev/null || break
      sleep 0.1
    done
  fi
  rm -f "$file"
}

start() {
  end_orphan
  # A pid file that outlived its dockerd would keep a new one from starting.
  rm -f "$pidfile"
  # setsid: a Ctrl-C in the terminal must not reach dockerd.
  setsid dockerd --host "unix://$socket" --pidfile "$pidfile" >"$log" 2>&1 </dev/null &
  starter=$!
}

starter=""
if starting; then say "dockerd (pid $(cat "$pidfile")) is already starting"; else start; fi

deadline=$((SECONDS + wait_seconds))
until version=$(version_at "unix://$socket"); do
  if [[ -n "$starter" ]] && ! kill -0 "$starter" 2>/dev/null; then
    tail -n 20 "$log" >&2
    fail "dockerd ended; the lines above are its last, all of them are in $log"
  fi
  # The one that was there ended before it answered.
  if [[ -z "$starter" ]] && ! starting; then start; fi
  if ((SECONDS >= deadline)); then
    [[ -f "$log" ]] && tail -n 20 "$log" >&2
    fail "dockerd did not answer within $wait_seconds s; its log is $log"
  fi
  sleep 0.3
done
say "Docker $version runs at unix://$socket; log: $log; stop it with: kill \$(cat $pidfile)"
