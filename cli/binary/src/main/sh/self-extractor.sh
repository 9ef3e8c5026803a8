#!/bin/sh
# Muninn @VERSION@ for Linux on x86-64: this script, then the gzipped tar of an image. The image is
# unpacked into a cache directory on the first start; later ones go straight to it.
set -u

hash=@HASH@
offset=@OFFSET@
name=@NAME@

fail() {
  printf 'muninn: %s\n' "$1" >&2
  exit 1
}

# The answer is in $cache.
find_cache() {
  cache=${MUNINN_CACHE:-}
  if [ -z "$cache" ]; then
    case ${XDG_CACHE_HOME:-} in
      /*) cache=$XDG_CACHE_HOME/muninn ;;
      *)
        [ -n "${HOME:-}" ] ||
          fail 'nowhere to unpack: HOME is not set; set MUNINN_CACHE to a directory'
        cache=$HOME/.cache/muninn
        ;;
    esac
  fi
  case $cache in
    /*) ;;
    *) cache=$(pwd)/$cache ;;
  esac
  case $cache in
    *:*) fail "$cache: Java cannot run from a path with a colon: set MUNINN_CACHE" ;;
  esac
}

# Whether nobody but this user and root can put anything into a directory or in its place. Fails in
# one line else. Above it, others may write where only owners remove, as in /tmp, and where the group
# is the user's own.
require_private() {
  command -v find >/dev/null || fail 'found no find, which looks for others in the cache'
  [ -O "$1" ] || refuse_foreign "$1"
  ! [ -k "$1" ] || refuse_writable "$1"
  directory=$1
  while [ "$directory" != / ]; do
    directory=${directory%/*}
    directory=${directory:-/}
    set -- "$@" "$directory"
  done
  me=$(id -u)
  find "$@" -prune \( ! -user 0 ! -user "$me" -o \( -perm -0002 -o -perm -0020 \) ! -perm -1000 \) -print |
    while IFS= read -r found; do
      [ -O "$found" ] || [ -n "$(find "$found" -prune -user 0)" ] || refuse_foreign "$found"
      private=$(find "$found" -prune ! -perm -0002 -group "$me")
      [ -n "$private" ] && [ "$found" != "$1" ] || refuse_writable "$found"
    done
}

refuse_foreign() {
  fail "$1 belongs to another user: set MUNINN_CACHE to a directory of your own"
}

refuse_writable() {
  fail "$1 can be written to by others: set MUNINN_CACHE to a directory of your own"
}

verify() {
  command -v sha256sum >/dev/null || fail 'found no sha256sum, which checks this file'
  sum=$(tail -c "+$offset" "$self" | sha256sum)
  [ "${sum%% *}" = "$hash" ] || fail "$self is truncated or altered: download it again"
}

# Whether what a start needs is there: programs that tidy up may have taken some of it.
is_whole() {
  [ -f "$1/lib/muninn.aot" ] && [ -f "$1/lib/launch.sh" ] && [ -f "$1/lib/libtokenizers.so" ] &&
    [ -f "$1/runtime/lib/modules" ] && [ -f "$1/runtime/bin/java" ]
}

unpack() {
  is_whole "$root" && return
  partial=$(mktemp -d "$cache/$hash.XXXXXX" 2>/dev/null) ||
    fail "cannot write to $cache: set MUNINN_CACHE to another directory"
  trap 'rm -rf "$partial"' EXIT
  trap 'exit 1' HUP INT TERM
  tail -c "+$offset" "$self" | gzip -dc 2>/dev/null | tar -xof - -C "$partial" 2>/dev/null ||
    fail "cannot unpack to $cache: is there space for 150 MB?"
  image=$partial/$name
  "$image/runtime/bin/java" -Xshare:off -version >/dev/null 2>&1 ||
    fail "programs in $cache do not run: Muninn needs Linux on x86-64 with glibc, and a cache directory that is not mounted noexec (MUNINN_CACHE)"
  chmod 700 "$image"
  touch "$image/verified"
  # A broken image makes way; one that another start moved here meanwhile is as good as this.
  if [ -d "$root" ] && ! is_whole "$root"; then
    mv "$root" "$partial/broken" 2>/dev/null
  fi
  mv "$image" "$root" 2>/dev/null
  # Where the other came first, mv has put this one inside of it.
  rm -rf "${root:?}/$name"
  is_whole "$root" || fail "cannot move what was unpacked to $root"
}

# In a shell of its own: the mask and the traps are not Java's.
unpack_once() (
  umask 077
  mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] ||
    fail "cannot write to $cache: set MUNINN_CACHE to a directory that can be written"
  require_private "$(CDPATH='' cd -P -- "$cache" && pwd -P)" || exit
  if command -v flock >/dev/null && touch "$cache/lock" 2>/dev/null; then
    # One unpacks, the others wait for it.
    exec 8>>"$cache/lock" && flock 8
  fi
  unpack
)

main() {
  self=$0
  find_cache
  # Without links, which others might turn elsewhere.
  [ ! -d "$cache" ] || cache=$(CDPATH='' cd -P -- "$cache" && pwd -P) || exit
  root=$cache/$hash
  if [ -d "$root" ]; then
    require_private "$root" || exit
    [ -O "$cache" ] || refuse_foreign "$cache"
  elif [ -d "$cache" ]; then
    require_private "$cache" || exit
  fi
  if ! [ "$root/verified" -nt "$self" ]; then
    verify
    [ ! -f "$root/verified" ] || touch "$root/verified" 2>/dev/null
  fi
  is_whole "$root" || unpack_once || exit
  . "$root/lib/launch.sh"
}

main "$@"
exit 1
