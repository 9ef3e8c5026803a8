package dev.muninn.cli.models;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model as people name it: {@code OWNER/NAME} or {@code OWNER/NAME@REVISION}.
 *
 * @param owner whose model it is; a name of a folder that is neither hidden nor above another
 * @param name what it is called there; the same
 * @param revision a branch, a tag or a commit; empty if none is named
 */
record ModelReference(String owner, String name, Optional<String> revision) {
  private static final String SEGMENT = "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}";
  private static final Pattern PATTERN =
      Pattern.compile(
          "(" + SEGMENT + ")/(" + SEGMENT + ")(?:@([A-Za-z0-9_][A-Za-z0-9._/-]{0,200}))?");

  /** Reads a reference; empty if the text is none. */
  static Optional<ModelReference> parse(String text) {
    Matcher matcher = PATTERN.matcher(text);
    if (!matcher.matches() || text.contains("..")) {
      return Optional.empty();
    }
    return Optional.of(
        new ModelReference(
            matcher.group(1), matcher.group(2), Optional.ofNullable(matcher.group(3))));
  }

  /** {@code OWNER/NAME}. */
  String model() {
    return owner + "/" + name;
  }

  @Override
  public String toString() {
    return model() + revision.map(r -> "@" + r).orElse("");
  }
}
