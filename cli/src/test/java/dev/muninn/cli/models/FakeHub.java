package dev.muninn.cli.models;

import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.SafetensorsWriter;
import dev.muninn.weights.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A hub with one model, {@code raven/small}, which misbehaves as it is told. */
final class FakeHub implements AutoCloseable {
  static final String MODEL = "raven/small";
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  static final String API = "/api/models/" + MODEL + "/revision/main?blobs=true";

  final Map<String, byte[]> files = new TreeMap<>();
  final Map<String, Deque<RawServer.Answer>> faults = new ConcurrentHashMap<>();
  final RawServer server;

  /** What the listing says instead of what is true: a JSON object by file. */
  final Map<String, String> lies = new TreeMap<>();

  enum Style {
    BLOBS,
    TREE,
    HEADERS
  }

  Style style = Style.BLOBS;
  String commit = COMMIT;
  boolean ignoresRanges;

  FakeHub() throws IOException {
    server = new RawServer(this::answer);
  }

  /** A hub with the files of a checkpoint. */
  static FakeHub of(Path directory) throws IOException {
    FakeHub hub = new FakeHub();
    hub.add(directory);
    hub.files.put("README.md", "# Small".getBytes(StandardCharsets.UTF_8));
    hub.files.put("pytorch_model.bin", new byte[100]);
    hub.files.put("modeling.py", "exit()".getBytes(StandardCharsets.UTF_8));
    hub.files.put("original/model.safetensors", new byte[10]);
    return hub;
  }

  private void add(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      for (Path path : paths.toList()) {
        files.put(path.getFileName().toString(), Files.readAllBytes(path));
      }
    }
  }

  /** The tensors of a checkpoint in two shards, with an index. */
  static void shard(Path from, Path to) throws IOException {
    List<String> names =
        List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    StringBuilder map = new StringBuilder();
    try (Checkpoint checkpoint = Checkpoint.open(from)) {
      List<Tensor> tensors = new ArrayList<>(checkpoint.tensors().values());
      for (int shard = 0; shard < 2; shard++) {
        SafetensorsWriter writer = new SafetensorsWriter(to.resolve(names.get(shard)));
        for (int i = shard; i < tensors.size(); i += 2) {
          writer.add(tensors.get(i));
          map.append(map.isEmpty() ? "" : ",");
          map.append("\"" + tensors.get(i).name() + "\":\"" + names.get(shard) + "\"");
        }
        writer.write();
      }
    }
    Files.writeString(
        to.resolve("model.safetensors.index.json"),
        "{\"metadata\":{},\"weight_map\":{" + map + "}}");
    Files.copy(from.resolve("config.json"), to.resolve("config.json"));
  }

  /** Where a file's content is. */
  String file(String name) {
    return "/" + MODEL + "/resolve/" + commit + "/" + name;
  }

  /** The next request for a target is answered so; several in order. */
  void fault(String target, RawServer.Answer... answers) {
    faults.computeIfAbsent(target, t -> new ArrayDeque<>()).addAll(List.of(answers));
  }

  /** Requests of a target so far. */
  List<RawServer.Request> requests(String target) {
    return server.requests().stream().filter(r -> r.target().equals(target)).toList();
  }

  private void answer(RawServer.Request request, OutputStream out) throws IOException {
    Deque<RawServer.Answer> waiting = faults.get(request.target());
    RawServer.Answer fault;
    synchronized (this) {
      fault = waiting == null ? null : waiting.poll();
    }
    if (fault != null) {
      fault.write(request, out);
      return;
    }
    String path = request.target().replaceFirst("\\?.*", "");
    String api = "/api/models/" + MODEL;
    if (path.equals(api + "/revision/main") || path.equals(api + "/revision/" + commit)) {
      RawServer.respond(out, "200 OK", utf8(revision()), "Content-Type: application/json");
    } else if (path.equals(api + "/tree/" + commit) && style == Style.TREE) {
      tree(request, out);
    } else if (path.startsWith(file("")) && files.containsKey(path.substring(file("").length()))) {
      content(request, path.substring(file("").length()), out);
    } else {
      RawServer.respond(out, "404 Not Found", utf8("{\"error\":\"no\"}"));
    }
  }

  private String revision() {
    StringBuilder siblings = new StringBuilder();
    files.forEach((name, content) -> {
      String told = style == Style.BLOBS ? facts(name, content, "blobId", "sha256") : "";
      siblings.append(siblings.isEmpty() ? "" : ",");
      siblings.append("{\"rfilename\":\"" + name.replace("\\", "\\\\") + "\"" + told + "}");
    });
    return "{\"sha\":\"" + commit + "\",\"siblings\":[" + siblings + "]}";
  }

  /** Two pages, as long listings have. */
  private void tree(RawServer.Request request, OutputStream out) throws IOException {
    StringBuilder page = new StringBuilder("{\"type\":\"directory\",\"path\":\"original\"}");
    boolean second = request.target().endsWith("&cursor=2");
    int index = 0;
    for (Map.Entry<String, byte[]> entry : files.entrySet()) {
      if (index++ < files.size() / 2 != second) {
        page.append(",{\"type\":\"file\",\"path\":\"" + entry.getKey() + "\"");
        page.append(facts(entry.getKey(), entry.getValue(), "oid", "oid") + "}");
      }
    }
    byte[] body = utf8("[" + page + "]");
    if (second) {
      RawServer.respond(out, "200 OK", body);
    } else {
      String next = server.address() + request.target() + "&cursor=2";
      RawServer.respond(out, "200 OK", body, "Link: <" + next + ">; rel=\"next\"");
    }
  }

  private String facts(String name, byte[] content, String blobKey, String linkedKey) {
    if (lies.containsKey(name)) {
      return "," + lies.get(name);
    }
    String size = ",\"size\":" + content.length;
    if (!name.endsWith(".safetensors")) {
      return size + ",\"" + blobKey + "\":\"" + gitBlob(content) + "\"";
    }
    return size
        + ",\""
        + blobKey
        + "\":\""
        + "0".repeat(40)
        + "\",\"lfs\":{\""
        + linkedKey
        + "\":\""
        + sha256(content)
        + "\",\"size\":"
        + content.length
        + ",\"pointerSize\":134}";
  }

  void content(RawServer.Request request, String name, OutputStream out) throws IOException {
    byte[] content = files.get(name);
    boolean large = name.endsWith(".safetensors");
    String[] facts = {
      "ETag: \"" + (large ? sha256(content) : gitBlob(content)) + "\"", "X-Repo-Commit: " + commit
    };
    String range = request.headers().get("range");
    if (request.method().equals("HEAD")) {
      RawServer.head(out, "200 OK", content.length, facts);
    } else if (range != null && !ignoresRanges) {
      int from = Integer.parseInt(range.replaceAll("bytes=([0-9]+)-", "$1"));
      RawServer.respond(
          out,
          "206 Partial Content",
          Arrays.copyOfRange(content, from, content.length),
          "Content-Range: bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    } else {
      RawServer.respond(out, "200 OK", content, facts);
    }
  }

  /** Sends the right head and the first bytes of a file, and hangs up. */
  RawServer.Answer dropAfter(String name, int bytes) {
    return (request, out) -> {
      byte[] content = files.get(name);
      String range = request.headers().get("range");
      int from = range == null || ignoresRanges ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
      if (from == 0) {
        RawServer.head(out, "200 OK", content.length);
      } else {
        RawServer.head(
            out,
            "206 Partial Content",
            content.length - from,
            "Content-Range: bytes " + from + "-" + (content.length - 1) + "/" + content.length);
      }
      out.write(content, from, bytes);
    };
  }

  /** An answer without a body. */
  static RawServer.Answer status(String status, String... headers) {
    return (request, out) -> RawServer.respond(out, status, new byte[0], headers);
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String sha256(byte[] content) {
    return digest("SHA-256", content);
  }

  static String gitBlob(byte[] content) {
    byte[] head = utf8("blob " + content.length + "\0");
    byte[] all = Arrays.copyOf(head, head.length + content.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    return digest("SHA-1", all);
  }

  private static String digest(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
