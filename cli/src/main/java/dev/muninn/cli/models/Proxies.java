package dev.muninn.cli.models;

import dev.muninn.cli.options.UsageException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The proxies that the environment names: {@code HTTPS_PROXY} for https addresses, {@code
 * HTTP_PROXY} for http, {@code ALL_PROXY} for what has none of its own, and {@code NO_PROXY} for
 * hosts that are reached directly. Each may be in lower case, which comes first.
 */
final class Proxies extends ProxySelector {
  private static final int DEFAULT_PORT = 80;
  private static final int MOST_BITS = 128;

  private final Optional<Hop> forHttp;
  private final Optional<Hop> forHttps;
  private final List<String> direct;

  /**
   * A proxy.
   *
   * @param authorization what it is shown, in a {@code Proxy-Authorization} header
   */
  record Hop(String host, int port, Optional<String> authorization) {
    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  private Proxies(Optional<Hop> forHttp, Optional<Hop> forHttps, List<String> direct) {
    this.forHttp = forHttp;
    this.forHttps = forHttps;
    this.direct = direct;
  }

  /** Every address is reached directly. */
  static Proxies none() {
    return of(Map.of());
  }

  /**
   * By the environment.
   *
   * @throws UsageException if a proxy's address is none, or of a kind that is not known; it does
   *     not repeat the address, which may hold a password
   */
  static Proxies of(Map<String, String> environment) {
    Optional<Hop> all = hop(environment, "ALL_PROXY");
    List<String> direct = new ArrayList<>();
    for (String entry : value(environment, "NO_PROXY").split("[,\\s]+")) {
      if (!entry.isEmpty()) {
        direct.add(entry.toLowerCase(Locale.ROOT));
      }
    }
    return new Proxies(
        hop(environment, "HTTP_PROXY").or(() -> all),
        hop(environment, "HTTPS_PROXY").or(() -> all),
        direct);
  }

  private static String value(Map<String, String> environment, String name) {
    String lower = environment.getOrDefault(name.toLowerCase(Locale.ROOT), "").strip();
    return lower.isEmpty() ? environment.getOrDefault(name, "").strip() : lower;
  }

  private static Optional<Hop> hop(Map<String, String> environment, String name) {
    String text = value(environment, name);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    String url = text.contains("://") ? text : "http://" + text;
    try {
      URI uri = URI.create(url);
      if (!"http".equalsIgnoreCase(uri.getScheme())) {
        throw new UsageException(
            name + ": a proxy of the kind " + uri.getScheme() + " is not known, only http://");
      }
      if (uri.getHost() != null) {
        return Optional.of(
            new Hop(
                uri.getHost(),
                uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
                Optional.ofNullable(uri.getRawUserInfo()).map(Proxies::basic)));
      }
    } catch (IllegalArgumentException e) {
      // Refused below.
    }
    throw new UsageException(name + ": expected http://[USER:PASSWORD@]HOST[:PORT]");
  }

  /** The user's name and password, in which a URL spells special characters by their codes. */
  private static String basic(String userInfo) {
    String plain = URLDecoder.decode(userInfo.replace("+", "%2B"), StandardCharsets.UTF_8);
    String both = plain.contains(":") ? plain : plain + ":";
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  /** The proxy on the way to an address. */
  Optional<Hop> on(URI address) {
    Optional<Hop> hop = "https".equalsIgnoreCase(address.getScheme()) ? forHttps : forHttp;
    return hop.filter(h -> direct.stream().noneMatch(entry -> matches(entry, address)));
  }

  /** Whether an entry of NO_PROXY covers an address: a host, a domain, a network, or all. */
  private static boolean matches(String entry, URI address) {
    if (entry.equals("*")) {
      return true;
    }
    String host = bare(address.getHost().toLowerCase(Locale.ROOT));
    int slash = entry.indexOf('/');
    if (slash > 0) {
      return isInNetwork(host, bare(entry.substring(0, slash)), entry.substring(slash + 1));
    }
    String name = entry;
    int colon = entry.lastIndexOf(':');
    if (colon > 0 && (entry.indexOf(':') == colon || entry.charAt(colon - 1) == ']')) {
      if (!entry.substring(colon + 1).equals(Integer.toString(port(address)))) {
        return false;
      }
      name = entry.substring(0, colon);
    }
    name = bare(name).replaceFirst("^\\*?\\.", "");
    return !name.isEmpty() && (host.equals(name) || host.endsWith("." + name));
  }

  private static String bare(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  private static int port(URI address) {
    if (address.getPort() >= 0) {
      return address.getPort();
    }
    return "https".equalsIgnoreCase(address.getScheme()) ? 443 : 80;
  }

  private static boolean isInNetwork(String host, String network, String bits) {
    if (!bits.matches("[0-9]{1,3}")) {
      return false;
    }
    int prefix = Integer.parseInt(bits);
    try {
      // Literal addresses only: a name is not looked up, since the proxy may be who knows it.
      byte[] a = InetAddress.ofLiteral(host).getAddress();
      byte[] b = InetAddress.ofLiteral(network).getAddress();
      if (a.length != b.length || prefix > Math.min(MOST_BITS, a.length * Byte.SIZE)) {
        return false;
      }
      for (int bit = 0; bit < prefix; bit++) {
        int shift = Byte.SIZE - 1 - bit % Byte.SIZE;
        if ((a[bit / Byte.SIZE] >> shift & 1) != (b[bit / Byte.SIZE] >> shift & 1)) {
          return false;
        }
      }
      return true;
    } catch (IllegalArgumentException name) {
      return false;
    }
  }

  @Override
  public List<Proxy> select(URI address) {
    return List.of(
        on(address)
            .map(hop -> new Proxy(Proxy.Type.HTTP, new InetSocketAddress(hop.host(), hop.port())))
            .orElse(Proxy.NO_PROXY));
  }

  @Override
  public void connectFailed(URI address, SocketAddress proxy, IOException failure) {
    // The request fails and says so.
  }
}
