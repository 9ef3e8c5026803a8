package dev.muninn.train.data;

import dev.muninn.decode.SplitMix;
import dev.muninn.text.SpecialTokens;
import dev.muninn.text.Tokenizer;
import dev.muninn.train.TrainingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Documents of a file, packed into sequences: several follow each other in one, and only those that
 * are longer than a sequence are cut. Every epoch goes through all sequences in an order of its
 * own.
 */
public final class TextData implements TrainingData {
  private static final String FINGERPRINT = "fingerprint";

  /** Most sequences that are validated on. */
  private static final int MOST_VALIDATED = 64;

  // What the random numbers are for; epochs count from 0 on.
  private static final long SPLIT = -1;
  private static final long SHUFFLE = -2;

  private final int documents;
  private final List<Document> sequences;
  private final int count;
  private final int length;
  private final int pad;
  private final long seed;
  private final ValidationSet validation;
  private final String fingerprint;
  private final int[] order;
  private long orderedEpoch = -1;

  /**
   * Reads a text or JSONL file.
   *
   * @param count sequences of a batch
   * @param length tokens of each, at least 2
   * @param validationShare of the documents, or of a single document's end, that is held out; above
   *     0 and below 1
   * @throws TrainingException if the file cannot be read, or has too little in it
   */
  public TextData(
      Path file, Tokenizer tokenizer, int count, int length, double validationShare, long seed) {
    List<Document> documents = new ArrayList<>(new DocumentFile(tokenizer).read(file));
    this.documents = documents.size();
    this.count = count;
    this.length = length;
    this.seed = seed;
    this.pad =
        tokenizer.id(SpecialTokens.PAD).orElse(Symbols.special(tokenizer, SpecialTokens.END_TEXT));
    this.fingerprint = fingerprint(documents);
    List<Document> heldOut = split(documents, validationShare);
    this.sequences = pack(documents);
    List<Document> validated = pack(heldOut);
    if (sequences.isEmpty() || validated.isEmpty()) {
      throw new TrainingException(
          file + ": too little to train and to validate on; expected more text");
    }
    this.order = new int[sequences.size()];
    int most = Math.min(MOST_VALIDATED, validated.size());
    SequenceBuilder builder = new SequenceBuilder(most, length, pad);
    for (Document sequence : validated.subList(0, most)) {
      fill(builder, sequence);
    }
    this.validation = ValidationSet.ofPositions("validation", builder.batch());
  }

  private static String fingerprint(List<Document> documents) {
    long hash = 0;
    for (Document document : documents) {
      hash =
          31 * (31 * hash + Arrays.hashCode(document.tokens()))
              + Arrays.hashCode(document.labels());
    }
    return Long.toHexString(hash);
  }

  /** Takes out and returns what is held out; shuffles the rest. */
  private List<Document> split(List<Document> documents, double share) {
    if (documents.size() == 1) {
      Document only = documents.getFirst();
      int cut = only.length() - Math.max(1, (int) Math.round(share * only.length()));
      if (cut < 1) {
        return List.of();
      }
      documents.set(0, only.part(0, cut));
      return List.of(only.part(cut, only.length()));
    }
    SplitMix random = new SplitMix();
    random.seed(seed, SPLIT);
    int heldOut = Math.clamp(Math.round(share * documents.size()), 1, documents.size() - 1);
    for (int i = documents.size() - 1; i > 0; i--) {
      int other = random.below(i + 1);
      Document moved = documents.get(i);
      documents.set(i, documents.get(other));
      documents.set(other, moved);
    }
    List<Document> end = documents.subList(documents.size() - heldOut, documents.size());
    List<Document> taken = List.copyOf(end);
    end.clear();
    return taken;
  }

  /** Sequences of at most the length, of which each has a label that counts. */
  private List<Document> pack(List<Document> documents) {
    List<Document> packed = new ArrayList<>();
    int[] tokens = new int[length];
    int[] labels = new int[length];
    int filled = 0;
    for (Document document : documents) {
      int from = 0;
      while (from < document.length()) {
        int left = document.length() - from;
        boolean fits = left <= length - filled;
        if (!fits && filled > 0 && left <= length) {
          filled = flush(packed, tokens, labels, filled);
        }
        int taken = Math.min(left, length - filled);
        System.arraycopy(document.tokens(), from, tokens, filled, taken);
        System.arraycopy(document.labels(), from, labels, filled, taken);
        filled += taken;
        from += taken;
        if (filled == length) {
          filled = flush(packed, tokens, labels, filled);
        }
      }
    }
    flush(packed, tokens, labels, filled);
    return packed;
  }

  private static int flush(List<Document> packed, int[] tokens, int[] labels, int filled) {
    Document sequence = new Document(tokens, labels).part(0, filled);
    if (Arrays.stream(sequence.labels()).anyMatch(label -> label != Batch.IGNORED)) {
      packed.add(sequence);
    }
    return 0;
  }

  private static void fill(SequenceBuilder builder, Document sequence) {
    builder.begin();
    for (int i = 0; i < sequence.length(); i++) {
      builder.add(sequence.tokens()[i], sequence.labels()[i]);
    }
  }

  @Override
  public Batch batch(long number) {
    SequenceBuilder builder = new SequenceBuilder(count, length, pad);
    for (int i = 0; i < count; i++) {
      long index = number * count + i;
      arrange(index / order.length);
      fill(builder, sequences.get(order[(int) (index % order.length)]));
    }
    return builder.batch();
  }

  /** Brings the sequences into the order of an epoch. */
  private void arrange(long epoch) {
    if (epoch == orderedEpoch) {
      return;
    }
    SplitMix random = new SplitMix();
    random.seed(seed, SHUFFLE - epoch);
    for (int i = 0; i < order.length; i++) {
      int other = random.below(i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    orderedEpoch = epoch;
  }

  /** Documents in the file, with those that are held out. */
  public int documents() {
    return documents;
  }

  /** Sequences of an epoch. */
  public int sequences() {
    return sequences.size();
  }

  @Override
  public List<ValidationSet> validation() {
    return List.of(validation);
  }

  @Override
  public Map<String, String> state() {
    return Map.of(FINGERPRINT, fingerprint);
  }

  @Override
  public void restore(Map<String, String> state) {
    if (!fingerprint.equals(state.get(FINGERPRINT))) {
      throw new TrainingException(
          "the data has changed since the run started: it cannot continue with the same losses");
    }
  }
}
