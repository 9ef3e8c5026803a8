package dev.muninn.cli.models;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Fetches one file to a partial name, by as many requests as it takes. */
final class FileDownload {
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\\*)");

  private final Transport transport;
  private final URI address;
  private final RemoteFile file;
  private final Retries retries;
  private final PullProgress progress;

  FileDownload(
      Transport transport, URI address, RemoteFile file, Patience patience, PullProgress progress) {
    this.transport = transport;
    this.address = address;
    this.file = file;
    this.retries = new Retries(patience, progress);
    this.progress = progress;
  }

  /**
   * Completes a partial file, whose size and checksum are then right.
   *
   * @return bytes that were fetched
   */
  long completeAt(Path path) throws IOException {
    long fetched = 0;
    try (PartialFile partial = PartialFile.open(path, file, progress)) {
      long furthest = partial.length();
      while (true) {
        try {
          while (partial.length() < file.size()) {
            Body body = new Body(partial);
            try {
              request(partial, body);
            } catch (TransientFailure failure) {
              boolean gained = partial.length() > furthest;
              furthest = Math.max(furthest, partial.length());
              retries.pauseOrGiveUp(failure, gained);
            } finally {
              fetched += body.stop();
            }
          }
          partial.requireWhole();
          return fetched;
        } catch (WrongContent wrong) {
          partial.restart();
          furthest = 0;
          retries.againOrGiveUp(wrong);
        }
      }
    }
  }

  private void request(PartialFile partial, Body body) throws IOException {
    long before = partial.length();
    transport.get(
        address,
        file.name(),
        before,
        info -> {
          body.check(info.statusCode(), info.headers());
          return body;
        },
        () -> {
          long length = partial.length();
          progress.at(length);
          return length;
        });
    if (partial.length() < file.size()) {
      throw new TransientFailure(
          file.name()
              + ": "
              + Endpoint.host(address)
              + " ends after "
              + partial.length()
              + " of "
              + file.size()
              + " bytes");
    }
  }

  /** Writes what arrives. Its methods run on the client's threads, one at a time. */
  private final class Body implements HttpResponse.BodySubscriber<Void> {
    private final PartialFile partial;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private IOException refusal;
    private boolean fromTheStart;
    private boolean stopped;
    private long received;
    private Flow.Subscription subscription;

    Body(PartialFile partial) {
      this.partial = partial;
    }

    /** Decides by the headers whether what follows can be the rest of the file. */
    synchronized void check(int status, HttpHeaders headers) {
      long begin = 0;
      if (status == 206) {
        Matcher range =
            CONTENT_RANGE.matcher(headers.firstValue("Content-Range").orElse("").strip());
        if (!range.matches()
            || Long.parseLong(range.group(1)) != partial.length()
            || Long.parseLong(range.group(2)) >= file.size()
            || !range.group(3).equals("*") && Long.parseLong(range.group(3)) != file.size()) {
          refusal = new WrongContent(sends("another range than was asked for"));
          return;
        }
        begin = partial.length();
      }
      // A server that knows no ranges sends the whole file.
      fromTheStart = begin == 0;
      String encoding = headers.firstValue("Content-Encoding").orElse("identity");
      if (!encoding.equalsIgnoreCase("identity")) {
        refusal = new WrongContent(sends("the encoding " + encoding));
        return;
      }
      String length = headers.firstValue("Content-Length").orElse("");
      if (status == 200 && !length.isEmpty() && !length.equals(Long.toString(file.size()))) {
        // Such as a page that tells of a failure: what is here already may still be good.
        refusal = new TransientFailure(sends(length + " bytes, but lists " + file.size()));
      }
    }

    private String sends(String found) {
      return file.name() + ": " + Endpoint.host(address) + " sends " + found;
    }

    @Override
    public synchronized void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
      try {
        if (refusal == null && fromTheStart && !stopped) {
          partial.restart();
        }
      } catch (IOException e) {
        refusal = e;
      }
      if (refusal == null) {
        subscription.request(1);
      } else {
        fail(refusal);
      }
    }

    @Override
    public synchronized void onNext(List<ByteBuffer> buffers) {
      if (stopped) {
        return;
      }
      try {
        for (ByteBuffer buffer : buffers) {
          if (buffer.remaining() > file.size() - partial.length()) {
            throw new WrongContent(sends("more than the " + file.size() + " bytes it lists"));
          }
          received += buffer.remaining();
          partial.append(buffer);
        }
        subscription.request(1);
      } catch (IOException e) {
        fail(e);
      }
    }

    private void fail(IOException failure) {
      stopped = true;
      subscription.cancel();
      end.completeExceptionally(failure);
    }

    @Override
    public void onError(Throwable failure) {
      end.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
      end.complete(null);
    }

    @Override
    public CompletionStage<Void> getBody() {
      return end;
    }

    /** Writes nothing from now on; returns the bytes that arrived. */
    synchronized long stop() {
      stopped = true;
      return received;
    }
  }
}
