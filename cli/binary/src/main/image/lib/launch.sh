# Starts Java. Read by a script that has put the directory of the image into $root; the arguments are
# the script's.

# Each would make the JVM say that it has heard.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS JDK_AOT_VM_OPTIONS

# Java would take the next file that it opens for a stream that is closed.
true 2>/dev/null 9<&0 || exec </dev/null
true 9>&2 || exec 2>/dev/null

# Java takes a colon in a path for the end of that path.
case $root in
  *:*)
    printf 'muninn: %s: Java cannot run from a path with a colon: move Muninn\n' \
      "$root" >&2
    exit 1
    ;;
esac

# Java reads arguments and names of files in the locale's letters. Of C.UTF-8 it has all, whatever
# locale the environment names; where the system lacks even that, any other in UTF-8 will do.
use_utf8() {
  { LC_ALL=C.UTF-8; } 2>/dev/null
  export LC_ALL
  case $root$PWD${HOME:-}$* in
    *[!\ -~]*) ;;
    *) return ;;
  esac
  [ "$(locale charmap 2>/dev/null)" = UTF-8 ] && return
  for locale in $(locale -a 2>/dev/null); do
    case $locale in
      *.[Uu][Tt][Ff]8* | *.[Uu][Tt][Ff]-8*)
        LC_ALL=$locale
        return
        ;;
    esac
  done
}
use_utf8 "$@"

# Java knows nothing of TMPDIR.
temporary=${TMPDIR:-}
[ -d "$temporary" ] && [ -w "$temporary" ] || temporary=

# Whether the command asks for a device of TornadoVM, by its name or because it is there to take. A
# GPU shows itself by a node in /dev; looking spares the others a slow start.
wants_tornado() {
  backend=auto
  device=
  previous=
  for argument in "$@"; do
    case $argument in
      --) break ;;
      --backend=*) backend=${argument#*=} ;;
      --device=*) device=${argument#*=} ;;
    esac
    case $previous in
      --backend) backend=$argument ;;
      --device) device=$argument ;;
      '') [ "$argument" = devices ] && backend=tornado ;;
    esac
    previous=$argument
  done
  case $backend,$device in
    tornado,*) return 0 ;;
    auto,) ;;
    auto,cpu) return 1 ;;
    auto,*) return 0 ;;
    *) return 1 ;;
  esac
  case ${1:-} in
    generate | chat | serve | score | eval | depth | trace | bench) ;;
    *) return 1 ;;
  esac
  for node in /dev/nvidia0 /dev/dri/renderD* /dev/kfd /dev/dxg; do
    [ -e "$node" ] && return
  done
  return 1
}

# TornadoVM's SDK says in a file what Java needs to run it. It holds a placeholder for the SDK's
# directory, which may have spaces; each line is an option, and after the first space its value.
start_tornado() {
  file=$TORNADOVM_HOME/tornado-argfile.template
  [ -r "$file" ] || file=$TORNADOVM_HOME/tornado-argfile
  if ! [ -r "$file" ]; then
    printf 'muninn: %s: no tornado-argfile, expected the SDK of TornadoVM in TORNADOVM_HOME\n' \
      "$TORNADOVM_HOME" >&2
    exit 1
  fi
  set -- -cp "@CLASS_PATH@" dev.muninn.cli.Main "$@"
  options=0
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      '' | '#'*) continue ;;
    esac
    value=
    case $line in
      -*' '*)
        value=${line#* }
        line=${line%% *}
        ;;
    esac
    # Jars in the working directory are not meant.
    value=${value#.:}
    for word in "$line" ${value:+"$value"}; do
      expanded=
      while :; do
        case $word in
          *'${TORNADOVM_HOME}'*)
            expanded=$expanded${word%%'${TORNADOVM_HOME}'*}$TORNADOVM_HOME
            word=${word#*'${TORNADOVM_HOME}'}
            ;;
          *) break ;;
        esac
      done
      set -- "$@" "$expanded$word"
      options=$((options + 1))
    done
  done <"$file"
  # The options were put behind the program's arguments: they go round to the front.
  program=$(($# - options))
  while [ "$program" -gt 0 ]; do
    set -- "$@" "$1"
    shift
    program=$((program - 1))
  done
  exec "$root/runtime/bin/java" -XX:-UsePerfData -XX:+DisplayVMOutputToStderr -Xlog:disable \
    -Xlog:all=warning,aot*=off,cds*=off:stderr --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow --add-modules jdk.incubator.vector \
    ${temporary:+"-Djava.io.tmpdir=$temporary"} -DRUST_LIBRARY_PATH="$root/lib/libtokenizers.so" "$@"
}

if [ -n "${TORNADOVM_HOME:-}" ] && wants_tornado "$@"; then
  start_tornado "$@"
fi

exec "$root/runtime/bin/java" "@$root/lib/java.args" -XX:AOTCache="$root/lib/muninn.aot" \
  ${temporary:+"-Djava.io.tmpdir=$temporary"} \
  -DRUST_LIBRARY_PATH="$root/lib/libtokenizers.so" -cp "@CLASS_PATH@" dev.muninn.cli.Main "$@"
