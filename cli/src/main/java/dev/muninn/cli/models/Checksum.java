package dev.muninn.cli.models;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * What tells a file's content from another: the SHA-256 of a large one, git's own name of a small
 * one, or nothing where the endpoint tells neither.
 *
 * @param kind how it is computed
 * @param hex the digest in lower case
 */
record Checksum(Kind kind, String hex) {
  private static final Checksum NONE = new Checksum(Kind.SIZE, "");

  enum Kind {
    SHA_256,
    /** The SHA-1 of "blob", a space, the size, a NUL and the content. */
    GIT_BLOB,
    /** Nothing but the size is known. */
    SIZE
  }

  /** No checksum: only the size can be checked. */
  static Checksum none() {
    return NONE;
  }

  /** Recognizes a digest by its length: 64 digits are a SHA-256, 40 are git's. */
  static Optional<Checksum> parse(String hex) {
    String lower = hex.toLowerCase(Locale.ROOT);
    if (lower.matches("[0-9a-f]{64}")) {
      return Optional.of(new Checksum(Kind.SHA_256, lower));
    }
    if (lower.matches("[0-9a-f]{40}")) {
      return Optional.of(new Checksum(Kind.GIT_BLOB, lower));
    }
    return Optional.empty();
  }

  /**
   * A digest to feed with the content.
   *
   * @param size bytes of the content, which git's names begin with
   */
  MessageDigest begin(long size) {
    try {
      MessageDigest digest = MessageDigest.getInstance(kind == Kind.GIT_BLOB ? "SHA-1" : "SHA-256");
      if (kind == Kind.GIT_BLOB) {
        digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
      }
      return digest;
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Whether a digest that was fed with the content is this one. Resets the digest. */
  boolean matches(MessageDigest digest) {
    return kind == Kind.SIZE || HexFormat.of().formatHex(digest.digest()).equals(hex);
  }

  /** For people, as in "the SHA-256". */
  String what() {
    return kind == Kind.GIT_BLOB ? "the git blob's SHA-1" : "the SHA-256";
  }
}
