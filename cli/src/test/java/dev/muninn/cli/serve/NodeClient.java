package dev.muninn.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.Programs;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Scripts for Node.js that use the server. Their packages come from npm's registry once for all
 * tests, as the lock file says. Where there is no Node.js or the registry does not answer, tests
 * count as skipped.
 */
final class NodeClient {
  private static final String LOCK = "package-lock.json";
  private static final int INSTALL_SECONDS = 300;
  private static final int RUN_SECONDS = 240;

  /** What npm says where a registry cannot be reached or has not got a package. */
  private static final Pattern NO_REGISTRY =
      Pattern.compile(
          "npm (?:error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONN\\w+|E\\w*TIMEDOUT|EHOSTUNREACH"
              + "|ENETUNREACH|EPROTO|ERR_SOCKET\\w*|ENOTCACHED|FETCH_ERROR|E[45]\\d\\d)");

  private NodeClient() {}

  /** Where the build puts what tests leave. */
  static Path target() {
    try {
      return Path.of(NodeClient.class.getProtectionDomain().getCodeSource().getLocation().toURI())
          .getParent();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Runs a script.
   *
   * @return the object that it prints
   */
  static Map<String, Object> run(String script, String... arguments)
      throws IOException, InterruptedException {
    Path node = require("node");
    Path directory = install();
    copy(script, directory);
    List<String> command = new ArrayList<>(List.of(node.toString(), script));
    command.addAll(List.of(arguments));
    Path out = directory.resolve(script + ".out");
    Path err = directory.resolve(script + ".err");
    int status = run(directory, out, err, RUN_SECONDS, command);
    assertEquals(0, status, () -> read(err));
    return JsonFile.readObject(out);
  }

  private static Path require(String program) {
    Path path = Programs.find(program).orElse(null);
    assumeTrue(path != null, "not run: found no " + program);
    return path;
  }

  /** The directory with the packages, installed if they are not there. */
  private static synchronized Path install() throws IOException, InterruptedException {
    Path directory = Files.createDirectories(target().resolve("server-clients"));
    Path installed = directory.resolve("installed.json");
    copy("package.json", directory);
    copy(LOCK, directory);
    if (Files.exists(installed) && Files.mismatch(installed, directory.resolve(LOCK)) < 0) {
      return directory;
    }
    Files.deleteIfExists(installed);
    Path out = directory.resolve("npm.out");
    Path err = directory.resolve("npm.err");
    int status =
        run(
            directory,
            out,
            err,
            INSTALL_SECONDS,
            List.of(
                require("npm").toString(),
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--no-engine-strict",
                "--prefer-offline",
                "--fetch-retries=1",
                "--fetch-timeout=60000"));
    if (status != 0) {
      String message = read(err);
      Matcher reason = NO_REGISTRY.matcher(message);
      if (reason.find()) {
        abort("not run: npm's registry gave no packages: " + reason.group(1));
      }
      throw new AssertionError(message);
    }
    Files.copy(directory.resolve(LOCK), installed);
    return directory;
  }

  private static void copy(String name, Path directory) throws IOException {
    try (var in = NodeClient.class.getResourceAsStream(name)) {
      Files.copy(in, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static int run(Path directory, Path out, Path err, int seconds, List<String> command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    try {
      assertTrue(
          process.waitFor(seconds, TimeUnit.SECONDS), () -> "does not end: " + command + read(err));
      return process.exitValue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
