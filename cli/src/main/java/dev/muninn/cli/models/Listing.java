package dev.muninn.cli.models;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An endpoint's answer about a revision.
 *
 * @param commit the commit that the revision stands for
 * @param files those that a checkpoint may need
 * @param others names of weights in other formats, and of what tells of an adapter
 */
record Listing(String commit, List<RemoteFile> files, Set<String> others) {

  /**
   * Refuses what is known not to be a model that can be opened, before anything is fetched.
   *
   * @param model for messages
   */
  void requireModel(ModelReference model) throws IOException {
    Set<String> weights = new TreeSet<>();
    boolean configured = false;
    boolean indexed = false;
    for (RemoteFile file : files) {
      configured |= file.name().equals(RemoteFile.CONFIGURATION);
      indexed |= file.name().equals(RemoteFile.INDEX);
      if (file.isWeights()) {
        weights.add(file.name());
      }
    }
    String found = null;
    if (others.contains(RemoteFile.ADAPTER) && !weights.contains(RemoteFile.SINGLE) && !indexed) {
      found = "is an adapter to another model";
    } else if (!configured) {
      found = "has no " + RemoteFile.CONFIGURATION;
    } else if (weights.isEmpty()) {
      found = "has no *.safetensors" + (others.isEmpty() ? "" : ", but " + named(others));
    } else if (!weights.contains(RemoteFile.SINGLE) && !indexed) {
      found = "has " + named(weights) + ", but no " + RemoteFile.SINGLE + " and no index of shards";
    }
    if (found != null) {
      throw new IOException(model + " " + found + ": it is not a model that Muninn can read");
    }
  }

  private static String named(Set<String> names) {
    String first = names.iterator().next();
    return names.size() == 1 ? first : first + " and " + (names.size() - 1) + " more";
  }

  /** Asks an endpoint, by several requests where one does not tell all. */
  static final class Reader {
    private static final int MOST_BYTES = 50_000_000;
    private static final int MOST_PAGES = 100;
    private static final Pattern COMMIT = Pattern.compile("[0-9A-Za-z]{1,64}");
    private static final Pattern NEXT = Pattern.compile("<([^>]*)>\\s*;\\s*rel=\"next\"");
    private static final String LINKED_SIZE = "X-Linked-Size";

    private final Endpoint endpoint;
    private final Transport transport;
    private final Patience patience;
    private final PullProgress progress;
    private final Set<String> others = new TreeSet<>();

    Reader(Endpoint endpoint, Transport transport, Patience patience, PullProgress progress) {
      this.endpoint = endpoint;
      this.transport = transport;
      this.patience = patience;
      this.progress = progress;
    }

    /** A name, with size and checksum where the listing has them. */
    private record Entry(String name, Optional<Long> size, Optional<Checksum> checksum) {
      boolean complete() {
        return size.isPresent() && checksum.isPresent();
      }
    }

    /**
     * The commit and the needed files of a revision.
     *
     * @param revision a branch, a tag or a commit
     */
    Listing read(ModelReference model, String revision) throws IOException {
      String what = "model " + model.model() + " at revision " + revision;
      URI address = endpoint.revision(model, revision);
      Map<String, Object> answer = JsonFile.readObject(name(address), text(request(address, what)));
      if (!(answer.get("sha") instanceof String commit) || !COMMIT.matcher(commit).matches()) {
        throw refusal("no commit of " + what);
      }
      Map<String, Entry> entries = new LinkedHashMap<>();
      if (answer.get("siblings") instanceof List<?> siblings) {
        for (Object sibling : siblings) {
          add(entries, sibling, "rfilename", "blobId", "sha256");
        }
      }
      boolean nothing = entries.isEmpty() && others.isEmpty();
      if (nothing || !entries.values().stream().allMatch(Entry::complete)) {
        readTree(model, commit, entries);
      }
      List<RemoteFile> files = new ArrayList<>();
      for (Entry entry : entries.values()) {
        files.add(describe(model, commit, entry));
      }
      return new Listing(commit, List.copyOf(files), others);
    }

    /** Not every endpoint has trees; then the headers of the files are to tell. */
    private void readTree(ModelReference model, String commit, Map<String, Entry> entries)
        throws IOException {
      Map<String, Entry> tree = new LinkedHashMap<>();
      URI page = endpoint.tree(model, commit);
      for (int pages = 0; page != null; pages++) {
        if (pages == MOST_PAGES) {
          throw refusal("more than " + MOST_PAGES + " pages of files");
        }
        HttpResponse<byte[]> response;
        try {
          response = request(page, "tree of " + model.model());
        } catch (IOException e) {
          if (entries.isEmpty() || pages > 0) {
            throw e;
          }
          return;
        }
        for (Object element : JsonFile.readArray(name(page), text(response))) {
          if (element instanceof Map<?, ?> map && "file".equals(map.get("type"))) {
            add(tree, map, "path", "oid", "oid");
          }
        }
        page = next(page, response.headers());
      }
      entries.putAll(tree);
    }

    private URI next(URI page, HttpHeaders headers) throws IOException {
      Matcher link = NEXT.matcher(headers.firstValue("Link").orElse(""));
      if (!link.find()) {
        return null;
      }
      try {
        URI next = page.resolve(link.group(1));
        if (Endpoint.isWeb(next) && endpoint.owns(next)) {
          return next;
        }
      } catch (IllegalArgumentException e) {
        // Refused below.
      }
      throw refusal("a next page that is not its own");
    }

    /** Adds a file that may be needed; refuses names that no folder of a model can have. */
    private void add(
        Map<String, Entry> entries, Object json, String nameKey, String blobKey, String linkedKey)
        throws IOException {
      if (!(json instanceof Map<?, ?> file) || !(file.get(nameKey) instanceof String name)) {
        throw refusal("a file without a name");
      }
      if (!staysInside(name)) {
        throw refusal(
            "the file name "
                + CheckpointException.quote(name)
                + ", expected one within the model's folder");
      }
      if (!RemoteFile.isNeeded(name)) {
        if (RemoteFile.isOther(name)) {
          others.add(name);
        }
        return;
      }
      // The blob of a large file is only a pointer to it.
      Map<?, ?> linked = file.get("lfs") instanceof Map<?, ?> map ? map : null;
      Object size =
          linked != null && linked.get("size") != null ? linked.get("size") : file.get("size");
      Object digest = linked == null ? file.get(blobKey) : linked.get(linkedKey);
      if (size != null && !(size instanceof Long bytes && bytes >= 0)) {
        throw refusal(
            "the size " + JsonFile.shown(size) + " of " + name + ", expected a number of bytes");
      }
      Optional<Checksum> checksum = Optional.empty();
      if (digest != null) {
        checksum = Checksum.parse(digest.toString());
        if (checksum.isEmpty()
            || linked != null && checksum.get().kind() != Checksum.Kind.SHA_256) {
          throw refusal(
              "the checksum "
                  + JsonFile.shown(digest)
                  + " of "
                  + name
                  + ", expected a SHA-1 or SHA-256 in hexadecimal digits");
        }
      }
      Entry entry = new Entry(name, Optional.ofNullable((Long) size), checksum);
      if (entries.put(name, entry) != null) {
        throw refusal("the file " + name + " twice");
      }
    }

    private static boolean staysInside(String name) {
      for (String segment : name.split("/", -1)) {
        if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
          return false;
        }
      }
      return name.chars().noneMatch(c -> c == '\\' || Character.isISOControl(c));
    }

    /** Asks for the headers of a file whose size or checksum the listing does not tell. */
    private RemoteFile describe(ModelReference model, String commit, Entry entry)
        throws IOException {
      if (entry.complete()) {
        return new RemoteFile(entry.name(), entry.size().get(), entry.checksum().get());
      }
      URI address = endpoint.file(model, commit, entry.name());
      HttpHeaders headers =
          retrying(() ->
              transport.head(
                  address,
                  entry.name() + " of " + model.model(),
                  answer -> answer.firstValue(LINKED_SIZE).isPresent()));
      Optional<Long> size = entry.size();
      if (size.isEmpty()) {
        size = number(headers, LINKED_SIZE).or(() -> number(headers, "Content-Length"));
      }
      Checksum checksum =
          entry
              .checksum()
              .or(() -> checksum(headers, "X-Linked-Etag"))
              .or(() -> checksum(headers, "ETag"))
              .orElse(Checksum.none());
      return new RemoteFile(
          entry.name(), size.orElseThrow(() -> refusal("no size of " + entry.name())), checksum);
    }

    private static Optional<Long> number(HttpHeaders headers, String header) {
      return headers
          .firstValue(header)
          .filter(value -> value.matches("[0-9]{1,18}"))
          .map(Long::valueOf);
    }

    private static Optional<Checksum> checksum(HttpHeaders headers, String header) {
      return headers
          .firstValue(header)
          .flatMap(value -> Checksum.parse(value.replaceFirst("^W/", "").replace("\"", "")));
    }

    private HttpResponse<byte[]> request(URI address, String what) throws IOException {
      return retrying(() ->
          transport.get(
              address,
              what,
              0,
              HttpResponse.BodyHandlers.limiting(
                  HttpResponse.BodyHandlers.ofByteArray(), MOST_BYTES),
              () -> 0));
    }

    @FunctionalInterface
    private interface Request<T> {
      T send() throws IOException;
    }

    private <T> T retrying(Request<T> request) throws IOException {
      Retries retries = new Retries(patience, progress);
      while (true) {
        try {
          return request.send();
        } catch (TransientFailure failure) {
          retries.pauseOrGiveUp(failure, false);
        }
      }
    }

    private static String text(HttpResponse<byte[]> response) {
      return new String(response.body(), StandardCharsets.UTF_8);
    }

    private static String name(URI address) {
      return Endpoint.host(address) + address.getPath();
    }

    private IOException refusal(String found) {
      return new IOException(Endpoint.host(endpoint.base()) + " lists " + found);
    }
  }
}
