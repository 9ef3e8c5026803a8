package dev.muninn.cli.models;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A server on a socket of this machine that may answer whatever it likes, a request a connection.
 */
class RawServer implements AutoCloseable {
  private final ServerSocket socket;
  private final List<Request> requests = new CopyOnWriteArrayList<>();

  /** A request; header names are in lower case. */
  record Request(String method, String target, Map<String, String> headers) {}

  /** Writes an answer, or a part of one: the connection is closed behind it. */
  @FunctionalInterface
  interface Answer {
    void write(Request request, OutputStream out) throws IOException;
  }

  RawServer(Answer answer) throws IOException {
    socket = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    Thread.ofVirtual().start(() -> serve(answer));
  }

  private void serve(Answer answer) {
    while (true) {
      Socket connection;
      try {
        connection = socket.accept();
      } catch (IOException e) {
        return;
      }
      Thread.ofVirtual()
          .start(() -> {
            try (connection) {
              Request request = read(connection);
              if (request != null) {
                requests.add(request);
                OutputStream out = connection.getOutputStream();
                answer.write(request, out);
                out.flush();
              }
            } catch (IOException e) {
              // The other side has had enough.
            }
          });
    }
  }

  private static Request read(Socket connection) throws IOException {
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
    String first = in.readLine();
    if (first == null) {
      return null;
    }
    Map<String, String> headers = new TreeMap<>();
    for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    String[] words = first.split(" ");
    return new Request(words[0], words[1], headers);
  }

  String host() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  String address() {
    return "http://" + host();
  }

  /** What was asked so far. */
  List<Request> requests() {
    return requests;
  }

  /** An answer with a body and its length. */
  static void respond(OutputStream out, String status, byte[] body, String... headers)
      throws IOException {
    head(out, status, body.length, headers);
    out.write(body);
  }

  /** The head of an answer with a body of some length. */
  static void head(OutputStream out, String status, long length, String... headers)
      throws IOException {
    StringBuilder head = new StringBuilder("HTTP/1.1 " + status + "\r\n");
    for (String header : headers) {
      head.append(header).append("\r\n");
    }
    head.append("Content-Length: ").append(length).append("\r\nConnection: close\r\n\r\n");
    out.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
