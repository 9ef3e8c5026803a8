# Starts Java. Read by a script that has put the directory of the image into $root; the arguments are
# the script's.

# Each would make the JVM say that it has heard.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS JDK_AOT_VM_OPTIONS

# Java would take the next file that it opens for a stream that is closed.
true 2>/dev/null 9<&0 || exec </dev/null
true 9>&2 || exec 2>/dev/null

# Without a UTF-8 locale Java cannot read the arguments' other letters.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
  *[Uu][Tt][Ff]8* | *[Uu][Tt][Ff]-8*) ;;
  *) export LC_ALL=C.UTF-8 ;;
esac

exec "$root/runtime/bin/java" "@$root/lib/java.args" -XX:AOTCache="$root/lib/muninn.aot" \
  -DRUST_LIBRARY_PATH="$root/lib/libtokenizers.so" -cp "@CLASS_PATH@" dev.muninn.cli.Main "$@"
