package dev.muninn.cli.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Where a user's files are kept, by the XDG Base Directory Specification. */
public final class UserDirectories {
  /** Names the directory for what can be made again. */
  public static final String CACHE = "MUNINN_CACHE";

  private UserDirectories() {}

  /**
   * What can be made again: {@code MUNINN_CACHE}, or muninn under {@code XDG_CACHE_HOME} or under
   * .cache in {@code HOME}.
   *
   * @throws IOException if nothing says where the user is at home
   */
  public static Path cache(Map<String, String> environment) throws IOException {
    return directory(environment, CACHE, "XDG_CACHE_HOME", ".cache");
  }

  /** Whether the user chose the cache by {@code MUNINN_CACHE}. */
  public static boolean isCacheChosen(Map<String, String> environment) {
    return isSet(environment, CACHE);
  }

  /**
   * Models that were pulled: {@code MUNINN_MODELS}, or muninn/models under {@code XDG_DATA_HOME} or
   * under .local/share in {@code HOME}.
   *
   * @throws IOException if nothing says where the user is at home
   */
  public static Path models(Map<String, String> environment) throws IOException {
    String own = "MUNINN_MODELS";
    Path directory = directory(environment, own, "XDG_DATA_HOME", ".local/share");
    return isSet(environment, own) ? directory : directory.resolve("models");
  }

  /**
   * What was typed into a chat: {@code MUNINN_HISTORY}, or muninn/history under {@code
   * XDG_STATE_HOME} or under .local/state in {@code HOME}.
   *
   * @throws IOException if nothing says where the user is at home
   */
  public static Path history(Map<String, String> environment) throws IOException {
    String own = "MUNINN_HISTORY";
    Path path = directory(environment, own, "XDG_STATE_HOME", ".local/state");
    return isSet(environment, own) ? path : path.resolve("history");
  }

  private static boolean isSet(Map<String, String> environment, String variable) {
    return !environment.getOrDefault(variable, "").isEmpty();
  }

  private static Path directory(
      Map<String, String> environment, String own, String shared, String underHome)
      throws IOException {
    if (isSet(environment, own)) {
      return Path.of(environment.get(own));
    }
    Path base = Path.of(environment.getOrDefault(shared, ""));
    if (base.isAbsolute()) {
      return base.resolve("muninn");
    }
    Path home = Path.of(environment.getOrDefault("HOME", System.getProperty("user.home")));
    if (home.isAbsolute()) {
      return home.resolve(underHome).resolve("muninn");
    }
    // Java calls the home of a user that the system does not know "?".
    throw new IOException("no home directory: HOME and " + own + " are not set");
  }
}
