package dev.muninn.binary;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/** One file that is a shell script and, behind it, an archive. */
final class SelfExtractor {
  private SelfExtractor() {}

  /**
   * Writes it.
   *
   * @param script in which {@code @NAME@} stands for a value by that name, or for the archive's
   *     HASH or its OFFSET, counted from 1
   */
  static void write(Path script, Map<String, String> values, Path archive, Path file)
      throws IOException {
    String text = Files.readString(script);
    for (Map.Entry<String, String> value : values.entrySet()) {
      text = text.replace("@" + value.getKey() + "@", value.getValue());
    }
    text = text.replace("@HASH@", sha256(archive));
    // As long as what it replaces, so that it does not move what it points to.
    String mark = "@OFFSET@";
    int offset = text.getBytes(StandardCharsets.UTF_8).length + 1;
    text = text.replace(mark, String.format("%0" + mark.length() + "d", offset));
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    try (OutputStream out = Files.newOutputStream(partial)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      Files.copy(archive, out);
    }
    if (!partial.toFile().setExecutable(true, false)) {
      throw new IOException(partial + ": cannot be made executable");
    }
    BuildBinary.replace(partial, file);
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
