package dev.muninn.cli.models;

import dev.muninn.cli.options.UsageException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A Hugging Face endpoint and the right to use it.
 *
 * @param base {@code http} or {@code https}, a host and perhaps a path, without a slash at its end
 * @param token an access token, sent only to the endpoint's host
 * @param proxies on the way there, and to where it redirects
 */
record Endpoint(URI base, Optional<String> token, Proxies proxies) {
  private static final String DEFAULT = "https://huggingface.co";

  /** An endpoint that is reached without proxies. */
  Endpoint(URI base, Optional<String> token) {
    this(base, token, Proxies.none());
  }

  /** By {@code HF_ENDPOINT}, {@code HF_TOKEN} and what {@link Proxies} reads. */
  static Endpoint of(Map<String, String> environment) {
    String text = environment.getOrDefault("HF_ENDPOINT", "").strip();
    String token = environment.getOrDefault("HF_TOKEN", "").strip();
    if (!token.chars().allMatch(character -> character > ' ' && character < 0x7F)) {
      throw new UsageException("HF_TOKEN holds characters that no token has");
    }
    return new Endpoint(
        parse(text.isEmpty() ? DEFAULT : text),
        token.isEmpty() ? Optional.empty() : Optional.of(token),
        Proxies.of(environment));
  }

  private static URI parse(String text) {
    try {
      URI uri = URI.create(text.replaceFirst("/+$", ""));
      if (isWeb(uri) && uri.getRawQuery() == null && uri.getRawFragment() == null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Refused below. The text is not repeated: it might hold a password.
    }
    throw new UsageException("HF_ENDPOINT: expected http://HOST or https://HOST");
  }

  /** Whether an address is one of a web server, without a user's name in it. */
  static boolean isWeb(URI uri) {
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    return (scheme.equals("http") || scheme.equals("https"))
        && uri.getHost() != null
        && uri.getPort() < 1 << 16
        && uri.getRawUserInfo() == null;
  }

  /** Whether an address is on the endpoint's own server: scheme, host and port are the same. */
  boolean owns(URI uri) {
    return uri.getScheme().equalsIgnoreCase(base.getScheme())
        && uri.getHost().equalsIgnoreCase(base.getHost())
        && port(uri) == port(base);
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
  }

  /** The API's answer about a revision: its commit, and its files with their sizes. */
  URI revision(ModelReference model, String revision) {
    return resolve(
        "/api/models/" + model.model() + "/revision/" + encode(revision) + "?blobs=true");
  }

  /** The files of a commit, page by page. */
  URI tree(ModelReference model, String commit) {
    return resolve("/api/models/" + model.model() + "/tree/" + encode(commit) + "?recursive=true");
  }

  /** A file's content. */
  URI file(ModelReference model, String commit, String name) {
    return resolve("/" + model.model() + "/resolve/" + encode(commit) + "/" + encode(name));
  }

  private URI resolve(String path) {
    return URI.create(base + path);
  }

  private static String encode(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** The server's name for messages: neither path nor query, which may hold a signature. */
  static String host(URI uri) {
    return uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
  }

  @Override
  public String toString() {
    return base.toString();
  }
}
