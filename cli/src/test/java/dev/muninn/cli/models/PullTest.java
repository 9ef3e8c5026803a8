package dev.muninn.cli.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.prepare.Recipe;
import dev.muninn.weights.Checkpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PullTest {
  private static final String FIRST = "model-00001-of-00002.safetensors";
  private static final String SECOND = "model-00002-of-00002.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final List<String> FILES = List.of("config.json", FIRST, SECOND, INDEX);

  private static final Patience SHORT =
      new Patience(
          4,
          Duration.ofMillis(1),
          Duration.ofMillis(4),
          Duration.ofSeconds(2),
          Duration.ofSeconds(20));

  @TempDir private Path temporary;

  private final StringWriter told = new StringWriter();
  private FakeHub hub;
  private Path target;
  private Optional<Recipe> recipe = Optional.empty();

  @BeforeEach
  void startHub() throws IOException {
    Path source = Files.createDirectory(temporary.resolve("source"));
    FakeHub.shard(CommandRun.UNTIED, source);
    hub = FakeHub.of(source);
    target = temporary.resolve("models/raven/small");
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private Pull.Result pull(Patience patience, Optional<String> token) throws IOException {
    Endpoint endpoint = new Endpoint(URI.create(hub.server.address()), token);
    ModelReference model = ModelReference.parse(FakeHub.MODEL).orElseThrow();
    try (PullProgress progress = new ConsoleProgress(new PrintWriter(told, true), false)) {
      return new Pull(endpoint, model, target, recipe, patience, progress).run();
    }
  }

  private Pull.Result pull() throws IOException {
    return pull(SHORT, Optional.empty());
  }

  /** Checks that a pull fails so, in one line, and leaves nothing under a final name. */
  private void assertFails(String... parts) throws IOException {
    IOException failure = assertThrows(IOException.class, this::pull);
    String message = String.valueOf(failure.getMessage());
    if (failure instanceof java.nio.file.FileSystemException local) {
      message = local.getFile() + ": " + local.getReason();
    }
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertEquals(1, message.lines().count(), message);
    assertEquals(List.of(), visibleFiles());
  }

  private List<String> visibleFiles() throws IOException {
    return names(target, false);
  }

  private static List<String> names(Path directory, boolean hidden) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.list(directory)) {
      return paths
          .map(path -> path.getFileName().toString())
          .filter(name -> hidden || !name.startsWith("."))
          .sorted()
          .toList();
    }
  }

  private List<String> partialFiles() throws IOException {
    return names(target.resolve(".muninn-pull"), true).stream()
        .filter(name -> name.endsWith(".partial"))
        .toList();
  }

  private void assertPulled() throws IOException {
    assertEquals(FILES, visibleFiles());
    for (String name : FILES) {
      assertArrayEquals(hub.files.get(name), Files.readAllBytes(target.resolve(name)), name);
    }
    assertEquals(List.of(), partialFiles());
    Checkpoint.open(target).close();
  }

  private long size() {
    return FILES.stream().mapToLong(name -> hub.files.get(name).length).sum();
  }

  @ParameterizedTest
  @EnumSource(FakeHub.Style.class)
  void fetchesWhatACheckpointNeeds(FakeHub.Style style) throws IOException {
    hub.style = style;
    Pull.Result result = pull();
    assertPulled();
    assertEquals(size(), result.bytes());
    assertEquals(size(), result.fetchedBytes());
    assertEquals(FakeHub.COMMIT, result.manifest().commit());
    assertTrue(hub.server.requests().stream().noneMatch(r -> r.target().endsWith(".py")));
  }

  @Test
  void singleFileNeedsNoShards() throws IOException {
    hub.files.put(
        "model.safetensors", Files.readAllBytes(CommandRun.UNTIED.resolve("model.safetensors")));
    pull();
    assertEquals(List.of("config.json", "model.safetensors", INDEX), visibleFiles());
  }

  @Test
  void secondPullFetchesNothing() throws IOException {
    pull();
    int before = hub.server.requests().size();
    assertEquals(0, pull().fetchedBytes());
    assertPulled();
    assertEquals(before + 1, hub.server.requests().size());
  }

  @Test
  void damagedFileIsFetchedAgain() throws IOException {
    pull();
    byte[] content = hub.files.get(FIRST).clone();
    content[content.length / 2] ^= 1;
    Files.write(target.resolve(FIRST), content);
    assertEquals(content.length, pull().fetchedBytes());
    assertPulled();
  }

  @Test
  void droppedConnectionsAreResumed() throws IOException {
    int piece = hub.files.get(FIRST).length / 5;
    hub.fault(
        hub.file(FIRST),
        hub.dropAfter(FIRST, piece),
        hub.dropAfter(FIRST, piece),
        (request, out) -> {},
        hub.dropAfter(FIRST, 0),
        hub.dropAfter(FIRST, piece));
    Pull.Result result = pull();
    assertPulled();
    assertEquals(size(), result.fetchedBytes());
    assertEquals(
        Arrays.asList(
            null,
            "bytes=" + piece + "-",
            "bytes=" + 2 * piece + "-",
            "bytes=" + 2 * piece + "-",
            "bytes=" + 2 * piece + "-",
            "bytes=" + 3 * piece + "-"),
        hub.requests(hub.file(FIRST)).stream().map(r -> r.headers().get("range")).toList());
  }

  /** Such as on a full disk. */
  @Test
  void aFileThatCannotBeWrittenIsCalledAsItsUserKnowsIt() throws IOException {
    int piece = hub.files.get(SECOND).length / 3;
    hub.fault(hub.file(SECOND), hub.dropAfter(SECOND, piece));
    hub.fault(
        hub.file(SECOND),
        Stream.generate(() -> FakeHub.status("503 Busy"))
            .limit(4)
            .toArray(RawServer.Answer[]::new));
    assertFails("gave up after 4 tries");
    for (String name : partialFiles()) {
      if (name.startsWith(SECOND)) {
        Path partial = target.resolve(".muninn-pull").resolve(name);
        Files.delete(partial);
        Files.createDirectory(partial);
      }
    }
    IOException problem = assertThrows(IOException.class, this::pull);
    assertTrue(
        problem.getMessage().startsWith(target.resolve(SECOND) + ": "), problem.getMessage());
  }

  @Test
  void resumesInAnotherProcess() throws IOException {
    int piece = hub.files.get(SECOND).length / 3;
    hub.fault(hub.file(SECOND), hub.dropAfter(SECOND, piece));
    hub.fault(
        hub.file(SECOND),
        Stream.generate(() -> FakeHub.status("503 Busy"))
            .limit(4)
            .toArray(RawServer.Answer[]::new));
    assertFails("answers 503", "gave up after 4 tries");
    assertTrue(partialFiles().stream().anyMatch(name -> name.startsWith(SECOND)));
    assertEquals(hub.files.get(SECOND).length - piece, pull().fetchedBytes());
    assertPulled();
  }

  @Test
  void serverWithoutRangesBeginsAgain() throws IOException {
    hub.ignoresRanges = true;
    int length = hub.files.get(FIRST).length;
    hub.fault(hub.file(FIRST), hub.dropAfter(FIRST, length / 2));
    assertEquals(size() + length / 2, pull().fetchedBytes());
    assertPulled();
  }

  @Test
  void serverThatNeverGetsFartherEnds() throws IOException {
    hub.ignoresRanges = true;
    hub.fault(
        hub.file(FIRST),
        Stream.generate(() -> hub.dropAfter(FIRST, 100))
            .limit(50)
            .toArray(RawServer.Answer[]::new));
    assertFails("gave up after 4 tries");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"bytes 0-9/10", "bytes 5-10/1000", "nonsense", "bytes 1-99999999999999999999/*"})
  void anotherRangeIsNotTaken(String contentRange) throws IOException {
    hub.fault(
        hub.file(FIRST),
        hub.dropAfter(FIRST, 100),
        (request, out) ->
            RawServer.respond(
                out, "206 Partial Content", new byte[10], "Content-Range: " + contentRange));
    pull();
    assertPulled();
  }

  @Test
  void unsatisfiableRangeBeginsAgain() throws IOException {
    hub.fault(hub.file(FIRST), hub.dropAfter(FIRST, 100), FakeHub.status("416 No"));
    pull();
    assertPulled();
  }

  @Test
  void lieAboutTheLengthIsOneLine() throws IOException {
    hub.fault(
        hub.file(FIRST),
        Stream.generate(
                () -> (RawServer.Answer) (q, out) -> RawServer.respond(out, "200 OK", new byte[17]))
            .limit(4)
            .toArray(RawServer.Answer[]::new));
    assertFails(FIRST, "sends 17 bytes, but lists " + hub.files.get(FIRST).length);
  }

  @Test
  void moreThanListedIsNotTaken() throws IOException {
    byte[] longer = Arrays.copyOf(hub.files.get(FIRST), hub.files.get(FIRST).length + 1);
    RawServer.Answer chunked =
        (request, out) -> {
          out.write(FakeHub.utf8("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
          out.write(FakeHub.utf8(Integer.toHexString(longer.length) + "\r\n"));
          out.write(longer);
          out.write(FakeHub.utf8("\r\n0\r\n\r\n"));
        };
    hub.fault(hub.file(FIRST), chunked, chunked);
    assertFails(FIRST, "sends more than the " + (longer.length - 1) + " bytes");
  }

  @Test
  void shorterChunksAreNoWholeFile() throws IOException {
    byte[] content = hub.files.get(FIRST);
    hub.fault(
        hub.file(FIRST),
        (request, out) -> {
          out.write(FakeHub.utf8("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n"));
          out.write(content, 0, 16);
          out.write(FakeHub.utf8("\r\n0\r\n\r\n"));
        });
    pull();
    assertPulled();
    assertEquals("bytes=16-", hub.requests(hub.file(FIRST)).get(1).headers().get("range"));
  }

  @ParameterizedTest
  @ValueSource(strings = {FIRST, "config.json"})
  void wrongContentIsOneLine(String name) throws IOException {
    byte[] right = hub.files.get(name);
    byte[] wrong = right.clone();
    wrong[wrong.length - 1] ^= 1;
    hub.fault(
        hub.file(name),
        (q, out) -> RawServer.respond(out, "200 OK", wrong),
        (q, out) -> RawServer.respond(out, "200 OK", wrong));
    assertFails(name, name.equals(FIRST) ? FakeHub.sha256(right) : FakeHub.gitBlob(right));
    pull();
    assertPulled();
  }

  @Test
  void damagedBeginningIsReplaced() throws IOException {
    hub.fault(
        hub.file(FIRST),
        (request, out) -> {
          RawServer.head(out, "200 OK", hub.files.get(FIRST).length);
          out.write(new byte[50]);
        });
    pull();
    assertPulled();
  }

  @Test
  void whatPassesIsTriedAgain() throws IOException {
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC).minusDays(1));
    hub.fault(
        FakeHub.API,
        FakeHub.status("429 Slow", "Retry-After: 0"),
        FakeHub.status("500 Oh"),
        FakeHub.status("429 Slow", "Retry-After: " + date));
    hub.fault(hub.file("config.json"), FakeHub.status("502 Oh"), FakeHub.status("408 Slow"));
    pull();
    assertPulled();
    assertTrue(told.toString().contains("answers 429; again in 0.0 s"), told.toString());
  }

  @Test
  void retryAfterIsWaitedFor() throws IOException {
    hub.fault(FakeHub.API, FakeHub.status("429 Slow", "Retry-After: 1"));
    pull();
    assertTrue(told.toString().contains("again in 1.0 s"), told.toString());
  }

  @Test
  void askedToWaitTooLong() throws IOException {
    hub.fault(FakeHub.API, FakeHub.status("429 Slow", "Retry-After: 3600"));
    assertFails("answers 429 and asks to wait for 3600 s");
  }

  @ParameterizedTest
  @ValueSource(strings = {"401 No", "403 No", "404 No", "400 Bad"})
  void whatDoesNotPassIsAskedOnce(String status) throws IOException {
    hub.fault(FakeHub.API, FakeHub.status(status));
    assertFails(status.substring(0, 3), FakeHub.MODEL, hub.server.host());
    assertEquals(1, hub.server.requests().size());
    assertFalse(Files.exists(target));
  }

  @Test
  void fileThatIsNotThere() throws IOException {
    hub.fault(hub.file(FIRST), FakeHub.status("404 No"));
    assertFails("has no " + FIRST + " (404)");
  }

  @Test
  void silenceIsNoticed() throws IOException {
    Patience patience =
        new Patience(2, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ofMillis(300));
    RawServer.Answer silent =
        (request, out) -> {
          RawServer.head(out, "200 OK", hub.files.get(FIRST).length);
          out.write(new byte[10]);
          out.flush();
          try {
            Thread.sleep(5000);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    hub.fault(hub.file(FIRST), silent, silent, silent);
    IOException failure = assertThrows(IOException.class, () -> pull(patience, Optional.empty()));
    assertTrue(failure.getMessage().contains("sent nothing for"), failure.getMessage());
  }

  @Test
  void tokenGoesToTheEndpointAlone() throws IOException {
    try (RawServer other =
        new RawServer((request, out) -> {
          assertFalse(request.headers().containsKey("authorization"));
          hub.content(request, FIRST, out);
        })) {
      hub.fault(
          hub.file(FIRST),
          FakeHub.status("302 There", "Location: " + other.address() + "/x?sig=1"));
      hub.fault(
          hub.file(SECOND), FakeHub.status("307 Here", "Location: " + hub.file(SECOND) + "?again"));
      pull(SHORT, Optional.of("hf_secret"));
      assertPulled();
      assertEquals(1, other.requests().size());
      assertFalse(other.requests().getFirst().headers().containsKey("authorization"));
      assertTrue(
          hub.server.requests().stream()
              .allMatch(r -> "Bearer hf_secret".equals(r.headers().get("authorization"))));
      assertFalse(told.toString().contains("hf_secret"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://user@127.0.0.1:1/x",
        ":::",
        "http:///x"
      })
  void redirectsToOtherThingsAreRefused(String location) throws IOException {
    hub.fault(hub.file(FIRST), FakeHub.status("302 There", "Location: " + location));
    assertFails(", expected the address of a page");
  }

  @Test
  void redirectsInACircleEnd() throws IOException {
    hub.fault(
        hub.file(FIRST),
        Stream.generate(() -> FakeHub.status("302 Here", "Location: " + hub.file(FIRST)))
            .limit(20)
            .toArray(RawServer.Answer[]::new));
    assertFails("redirects " + FIRST + " more than 10 times");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil.safetensors",
        "/etc/evil.safetensors",
        "a/../../evil.safetensors",
        "..\\evil.safetensors",
        "a//b.safetensors",
        "./config.json",
        ".."
      })
  void namesNeverLeaveTheFolder(String name) throws IOException {
    hub.files.put(name, new byte[10]);
    assertFails("lists the file name");
    assertFalse(Files.exists(target));
  }

  @Test
  void namesWithControlCharacters() throws IOException {
    hub.fault(
        FakeHub.API,
        (request, out) ->
            RawServer.respond(
                out,
                "200 OK",
                FakeHub.utf8(
                    "{\"sha\":\"abc\",\"siblings\":[{\"rfilename\":\"a\\u0000b.safetensors\"}]}")));
    assertFails("lists the file name");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"size\":-1",
        "\"size\":\"many\"",
        "\"size\":1e30",
        "\"size\":5,\"lfs\":{\"sha256\":\"abc\",\"size\":5}",
        "\"size\":5,\"lfs\":{\"sha256\":\"0123456789012345678901234567890123456789\",\"size\":5}",
      })
  void listingsThatMakeNoSense(String lie) throws IOException {
    hub.lies.put(FIRST, lie);
    assertFails("lists", FIRST);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "{}", "{\"sha\":\"../x\",\"siblings\":[]}", "<html>", "{\"sha\":1}"})
  void answersThatAreNoListing(String body) {
    hub.fault(FakeHub.API, (request, out) -> RawServer.respond(out, "200 OK", FakeHub.utf8(body)));
    Exception failure = assertThrows(Exception.class, this::pull);
    assertEquals(1, failure.getMessage().lines().count());
    assertTrue(failure.getMessage().contains("127.0.0.1"), failure.getMessage());
    assertFalse(Files.exists(target));
  }

  @Test
  void modelsThatAreNone() throws IOException {
    hub.files.remove("config.json");
    assertFails("has no config.json");
    hub.files.clear();
    hub.files.put("config.json", new byte[2]);
    assertFails("has no *.safetensors");
  }

  @Test
  void indexThatNamesOtherFiles() throws IOException {
    hub.files.put(INDEX, FakeHub.utf8("{\"weight_map\":{\"a\":\"../x.safetensors\"}}"));
    assertFails("names \"../x.safetensors\", which is not among its files");
  }

  @Test
  void anotherRevisionReplacesTheFirst() throws IOException {
    hub.files.put("added_tokens.json", FakeHub.utf8("{}"));
    pull();
    hub.files.remove("added_tokens.json");
    hub.commit = "f".repeat(40);
    byte[] config = hub.files.get("config.json");
    hub.files.put("config.json", Arrays.copyOf(config, config.length + 1));
    hub.files.get("config.json")[config.length] = '\n';
    assertEquals(config.length + 1, pull().fetchedBytes());
    assertPulled();
  }

  @Test
  void failureLeavesTheOldRevisionWhole() throws IOException {
    pull();
    List<byte[]> before = new ArrayList<>();
    for (String name : FILES) {
      before.add(Files.readAllBytes(target.resolve(name)));
    }
    hub.files.replaceAll((name, content) -> Arrays.copyOf(content, content.length + 8));
    hub.files.put("config.json", before.get(0));
    hub.files.put(INDEX, before.get(3));
    hub.fault(hub.file(SECOND), FakeHub.status("404 No"));
    assertThrows(IOException.class, this::pull);
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), Files.readAllBytes(target.resolve(FILES.get(i))));
    }
    assertTrue(Manifest.exists(ModelStore.state(target)));
  }

  @Test
  void linksAreReplacedAndNotFollowed() throws IOException {
    Path victim = Files.writeString(temporary.resolve("victim"), "untouched");
    Files.createDirectories(target);
    Files.createSymbolicLink(target.resolve("config.json"), victim);
    pull();
    assertPulled();
    assertFalse(Files.isSymbolicLink(target.resolve("config.json")));
    assertEquals("untouched", Files.readString(victim));
  }

  @Test
  void stateFolderThatIsALinkIsRefused() throws IOException {
    Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
    Files.createDirectories(target);
    Files.createSymbolicLink(ModelStore.state(target), elsewhere);
    assertFails("is a symbolic link");
    assertEquals(List.of(), names(elsewhere, true));
  }

  @Test
  void folderThatIsAFile() throws IOException {
    Files.createDirectories(target.getParent());
    Files.createFile(target);
    assertThrows(IOException.class, this::pull);
    assertEquals(0, Files.size(target));
  }

  @Test
  void pullsAtOnceDoNoHarm() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Pull.Result>> pulls =
          threads.invokeAll(java.util.Collections.nCopies(4, (Callable<Pull.Result>) this::pull));
      long fetched = 0;
      for (Future<Pull.Result> pull : pulls) {
        fetched += pull.get().fetchedBytes();
      }
      assertEquals(size(), fetched);
    }
    assertPulled();
  }

  /** Drops, restarts, wrong bytes and refusals in a seeded order: right bytes or an error. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void hostileServerGivesTheRightBytesOrAnError(long seed) throws IOException {
    java.util.Random random = new java.util.Random(seed);
    for (String name : FILES) {
      byte[] content = hub.files.get(name);
      for (int i = random.nextInt(5); i > 0; i--) {
        RawServer.Answer answer =
            switch (random.nextInt(5)) {
              case 0 -> FakeHub.status("503 Busy");
              case 1 -> (request, out) -> {};
              case 2 -> FakeHub.status("206 Partial Content");
              case 3 ->
                  (request, out) -> RawServer.respond(out, "200 OK", new byte[content.length]);
              default -> hub.dropAfter(name, random.nextInt(20));
            };
        hub.fault(hub.file(name), answer);
      }
    }
    try {
      pull();
      assertPulled();
    } catch (IOException e) {
      assertEquals(1, e.getMessage().lines().count());
      assertEquals(List.of(), visibleFiles());
    }
  }

  private CommandRun run(String... arguments) {
    return CommandRun.run(
        new byte[0],
        new ByteArrayOutputStream(),
        Map.of(
            "HF_ENDPOINT",
            hub.server.address() + "/",
            "HF_TOKEN",
            "hf_secret",
            "MUNINN_MODELS",
            temporary.resolve("models").toString()),
        arguments);
  }

  @Test
  void commandsFindListAndRemoveTheModel() throws IOException {
    String[] generate = {"generate", "-m", FakeHub.MODEL, "--prompt-tokens", "1,2", "-n", "3"};
    run(generate).assertFails(1, "'muninn pull raven/small' fetches it");
    CommandRun pulled = run("pull", FakeHub.MODEL);
    assertEquals(0, pulled.exitCode(), pulled.err());
    assertEquals(target + "\n", pulled.out());
    assertFalse(pulled.err().contains("hf_secret"));
    assertPulled();
    CommandRun byName = run(generate);
    assertEquals(0, byName.exitCode(), byName.err());
    generate[2] = CommandRun.UNTIED.toString();
    assertEquals(CommandRun.of(generate).out(), byName.out());
    assertEquals(0, run("inspect", FakeHub.MODEL).exitCode());
    assertEquals(0, run("inspect", FakeHub.MODEL + "@0123456").exitCode());
    run("inspect", FakeHub.MODEL + "@v2").assertFails(1, "at revision main, commit 01234567");
    CommandRun list = run("models");
    assertTrue(list.out().contains(FakeHub.MODEL) && list.out().contains("main"), list.out());
    Map<String, Object> json = run("models", "--json").json();
    assertTrue(json.get("models").toString().contains("complete=true"), json.toString());
    Path byHand = temporary.resolve("models/some/one");
    Files.createDirectories(byHand);
    assertEquals(0, run("models", "rm", FakeHub.MODEL).exitCode());
    assertFalse(Files.exists(target.getParent()));
    assertTrue(Files.exists(byHand));
    run("models", "rm", FakeHub.MODEL).assertFails(1, "no model raven/small in ");
    run("inspect", FakeHub.MODEL).assertFails(1, "no model of that name was pulled");
  }

  @Test
  void incompleteModelSaysSo() throws IOException {
    hub.fault(hub.file(SECOND), FakeHub.status("404 No"));
    CommandRun failed = run("pull", FakeHub.MODEL);
    assertEquals(1, failed.exitCode());
    assertEquals("", failed.out());
    assertTrue(failed.err().lines().toList().getLast().startsWith("muninn: "), failed.err());
    run("inspect", FakeHub.MODEL).assertFails(1, "pull was not completed");
    assertTrue(run("models").out().contains("incomplete"));
  }

  @Test
  void toPutsTheFilesThere() throws IOException {
    target = temporary.resolve("elsewhere");
    CommandRun run =
        run("pull", FakeHub.MODEL + "@" + FakeHub.COMMIT, "--to", target.toString(), "--json");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("\"revision\":\"" + FakeHub.COMMIT + "\""), run.out());
    assertPulled();
    assertEquals(0, run("inspect", target.toString()).exitCode());
  }

  @Test
  void folderThatCannotBeWrittenIsOneLine() throws IOException {
    Files.writeString(temporary.resolve("file"), "");
    CommandRun run = run("pull", FakeHub.MODEL, "--to", temporary.resolve("file/x").toString());
    assertEquals(1, run.exitCode());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @ParameterizedTest
  @ValueSource(strings = {"small", "a/b/c", "../x", "a/..", "a/b@", "a/b@../../x", "/a/b", "a/.b"})
  void namesThatAreNone(String name) {
    run("pull", name).assertFails(2, "expected OWNER/NAME");
    run("models", "rm", name).assertFails(2, "expected OWNER/NAME");
  }

  @ParameterizedTest
  @ValueSource(strings = {"huggingface.co", "ftp://x", "http://", "https://user:secret@host", "::"})
  void endpointsThatAreNone(String endpoint) {
    CommandRun run =
        CommandRun.run(
            new byte[0],
            new ByteArrayOutputStream(),
            Map.of("HF_ENDPOINT", endpoint, "HOME", temporary.toString()),
            "pull",
            FakeHub.MODEL);
    run.assertFails(2, "HF_ENDPOINT: expected");
    assertFalse(run.err().contains("secret"));
  }

  @Test
  void tokenThatIsNoneIsNotPrinted() {
    CommandRun run =
        CommandRun.run(
            new byte[0],
            new ByteArrayOutputStream(),
            Map.of("HF_TOKEN", "hf_se\ncret", "HOME", temporary.toString()),
            "pull",
            FakeHub.MODEL);
    run.assertFails(2, "HF_TOKEN");
    assertFalse(run.err().contains("cret") && run.err().contains("hf_se"));
  }
}
