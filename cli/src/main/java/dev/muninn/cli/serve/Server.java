package dev.muninn.cli.serve;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Listens, and answers once there is a model. Closing it ends all connections. */
final class Server implements AutoCloseable {
  private static final int BACKLOG = 1024;
  private static final int MOST_CONNECTIONS = 4096;

  /** What is taken in before {@link Client#requireFewHeaders} can refuse it in the usual form. */
  private static final int MOST_HEADERS = 50_000;

  private static final int MOST_HEADER_BYTES = 8 << 20;

  /** For clients to hear that their answers were cancelled. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private final HttpServer http;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Watchdog watchdog;
  private final Api api;

  private Server(Settings settings, PrintWriter log) throws IOException {
    configure(settings);
    http = HttpServer.create(settings.address(), BACKLOG);
    watchdog = new Watchdog(settings.patience());
    api = new Api(settings, log, watchdog);
    http.createContext("/", api);
    http.setExecutor(threads);
    http.start();
  }

  /**
   * Listens from now on.
   *
   * @param log gets a line a request
   * @throws IOException in one line, if the address cannot be had
   */
  static Server open(Settings settings, PrintWriter log) throws IOException {
    try {
      return new Server(settings, log);
    } catch (BindException e) {
      throw new IOException(
          settings.address().getHostString()
              + ":"
              + settings.address().getPort()
              + ": "
              + e.getMessage(),
          e);
    }
  }

  /** The JDK's server reads these, and only these, when its first object is made. */
  private static void configure(Settings settings) {
    // Without it each piece of a stream waits for the client to confirm the last.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    System.setProperty(
        "sun.net.httpserver.maxReqTime", Long.toString(settings.patience().toSeconds() + 1));
    System.setProperty("sun.net.httpserver.maxReqHeaders", Integer.toString(MOST_HEADERS));
    System.setProperty("sun.net.httpserver.maxReqHeaderSize", Integer.toString(MOST_HEADER_BYTES));
    System.setProperty("jdk.httpserver.maxConnections", Integer.toString(MOST_CONNECTIONS));
  }

  /** The port that is listened on. */
  int port() {
    return http.getAddress().getPort();
  }

  /** Begins to answer. */
  void serve(Api.Served served) {
    api.serve(served);
  }

  /**
   * Refuses what comes from now on, and ends what there is.
   *
   * @param limit what has not ended by then is cancelled, and what its client has not read is lost
   */
  void drain(Api.Served served, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    api.drain();
    served.model().drain(limit);
    Duration left = Duration.ofNanos(end - System.nanoTime());
    api.awaitDelivery(left.compareTo(LAST_WORDS) < 0 ? LAST_WORDS : left);
  }

  @Override
  public void close() {
    http.stop(0);
    threads.shutdownNow();
    watchdog.close();
  }
}
