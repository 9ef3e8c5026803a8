package dev.muninn.cli.serve;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Says which requests may come in, before their content is looked at. */
final class Doorkeeper {
  private static final String BEARER = "bearer ";
  private static final String HEADER_NAMES = "[A-Za-z0-9-]+( *, *[A-Za-z0-9-]+)*";
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  private final Optional<byte[]> keyHash;
  private final List<String> origins;
  private final boolean local;

  /**
   * A doorkeeper.
   *
   * @param local whether only this machine can reach the server
   */
  Doorkeeper(Optional<String> key, List<String> origins, boolean local) {
    this.keyHash = key.map(Doorkeeper::hash);
    this.origins = List.copyOf(origins);
    this.local = local;
  }

  /** Refuses a request without the key. */
  void requireKey(Client client) {
    if (keyHash.isEmpty()) {
      return;
    }
    String given = client.header("Authorization");
    boolean bearer = given.regionMatches(true, 0, BEARER, 0, BEARER.length());
    // Hashes have one length, and comparing them takes one time.
    byte[] found = hash(bearer ? given.substring(BEARER.length()).strip() : "");
    if (!MessageDigest.isEqual(keyHash.get(), found)) {
      client.setHeader("WWW-Authenticate", "Bearer");
      throw ApiException.refused(
          401,
          "invalid_api_key",
          bearer ? "the API key is wrong" : "expected the header Authorization: Bearer KEY");
    }
  }

  private static byte[] hash(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Refuses what pages of other servers ask, unless they may. A page that only claims this server's
   * name, by a name service of its own, is found out where the server is for this machine alone.
   */
  void requireOrigin(Client client) {
    String origin = client.header("Origin");
    if (origin.isEmpty()) {
      return;
    }
    if (origins.contains(origin) || origins.contains("*")) {
      client.setHeader("Access-Control-Allow-Origin", origin);
      client.setHeader("Vary", "Origin");
      return;
    }
    if (!isOwn(origin, client.header("Host"))) {
      throw ApiException.refused(
          403, "origin_not_allowed", "pages of other servers may not ask; see --cors-origin");
    }
  }

  private boolean isOwn(String origin, String host) {
    try {
      URI page = new URI(origin);
      return page.getRawAuthority() != null
          && page.getRawAuthority().equals(host)
          && (!local || LOOPBACK.contains(page.getHost()));
    } catch (URISyntaxException e) {
      return false;
    }
  }

  /** Tells a browser what pages that may ask can send. */
  void preflight(Client client) {
    client.setHeader("Access-Control-Allow-Methods", "GET, POST");
    // OpenAI's client has a dozen headers of its own.
    String asked = client.header("Access-Control-Request-Headers");
    client.setHeader(
        "Access-Control-Allow-Headers",
        asked.matches(HEADER_NAMES) ? asked : "Authorization, Content-Type");
    client.setHeader("Access-Control-Max-Age", "600");
  }
}
