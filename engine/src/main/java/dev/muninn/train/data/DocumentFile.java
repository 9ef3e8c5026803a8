package dev.muninn.train.data;

import dev.muninn.text.SpecialTokens;
import dev.muninn.text.Tokenizer;
import dev.muninn.train.TrainingException;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.InputFile;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.Utf8Text;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Reads what there is to learn: a text in UTF-8, or JSONL with one object a line that has either
 * {@code text}, or {@code prompt} and {@code completion}, of which only the latter is learnt.
 */
final class DocumentFile {
  /** Characters that are tokenized at once, if a line ends there. */
  private static final int PIECE = 1 << 16;

  /** As many as surely can be tokenized at once. */
  private static final int LONGEST = 4 * PIECE;

  private static final int MOST_BYTES = 256 << 20;

  private final Tokenizer tokenizer;
  private final int begin;
  private final int end;

  DocumentFile(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.begin = Symbols.special(tokenizer, SpecialTokens.BEGIN_TEXT);
    this.end = Symbols.special(tokenizer, SpecialTokens.END_TEXT);
  }

  List<Document> read(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    try {
      byte[] bytes = InputFile.read(file, MOST_BYTES, "training data");
      Optional<String> other = InputFile.otherThanText(bytes);
      if (other.isPresent()) {
        throw new TrainingException(
            file + ": found " + other.get() + ", expected a text or JSON lines to learn from");
      }
      boolean lines = name.endsWith(".jsonl") || name.endsWith(".ndjson") || hasJsonLines(bytes);
      List<Document> documents =
          lines ? lines(file, bytes) : text(file, bytes, name.endsWith(".json"));
      if (documents.isEmpty()) {
        throw new TrainingException(file + ": nothing to learn; expected a text or JSON lines");
      }
      return documents;
    } catch (NoSuchFileException e) {
      throw new TrainingException(file + ": no such file", e);
    } catch (FileSystemException e) {
      throw new TrainingException(e.getMessage(), e);
    } catch (CharacterCodingException e) {
      throw new TrainingException(file + ": not UTF-8 text", e);
    } catch (IOException e) {
      throw new TrainingException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether the first line is an object with members, whatever the file is called. */
  private static boolean hasJsonLines(byte[] bytes) throws IOException {
    try (BufferedReader reader = new BufferedReader(reader(bytes))) {
      String line = reader.readLine();
      while (line != null && line.isBlank()) {
        line = reader.readLine();
      }
      if (line == null || !line.stripLeading().startsWith("{")) {
        return false;
      }
      return !JsonFile.readObject("line", line).isEmpty();
    } catch (CheckpointException e) {
      return false;
    }
  }

  /** Whether a text as a whole is one object or array. */
  private static boolean isJson(String text) {
    String start = text.stripLeading();
    try {
      if (start.startsWith("{")) {
        JsonFile.readObject("text", text);
        return true;
      }
      if (start.startsWith("[")) {
        JsonFile.readArray("text", text);
        return true;
      }
      return false;
    } catch (CheckpointException e) {
      return false;
    }
  }

  private List<Document> text(Path file, byte[] bytes, boolean calledJson) throws IOException {
    String text;
    try (Reader reader = reader(bytes)) {
      text = reader.readAllAsString();
    }
    if (calledJson || isJson(text)) {
      throw new TrainingException(
          file
              + ": JSON is not a text to learn from; expected one object a line, with text or prompt"
              + " and completion");
    }
    if (text.isBlank()) {
      return List.of();
    }
    int nul = text.indexOf('\0');
    if (nul >= 0) {
      throw new TrainingException(
          file + ": found a NUL at character " + nul + ", expected text, not a binary file");
    }
    int[] tokens = new int[PIECE];
    int count = 0;
    for (int from = 0; from < text.length(); ) {
      int to = pieceEnd(text, from);
      int[] piece = tokenizer.encodePlain(text.substring(from, to));
      if (count + piece.length > tokens.length) {
        tokens = Arrays.copyOf(tokens, Math.max(2 * tokens.length, count + piece.length));
      }
      System.arraycopy(piece, 0, tokens, count, piece.length);
      count += piece.length;
      from = to;
    }
    return List.of(Document.of(begin, Arrays.copyOf(tokens, count), 0, end));
  }

  /** Behind a line or, where lines are endless, before a space, or at worst between two letters. */
  private static int pieceEnd(String text, int from) {
    if (text.length() - from <= PIECE) {
      return text.length();
    }
    int newline = text.indexOf('\n', from + PIECE, Math.min(text.length(), from + LONGEST));
    if (newline >= 0) {
      return newline + 1;
    }
    if (text.length() - from <= LONGEST) {
      return text.length();
    }
    int space = text.lastIndexOf(' ', from + LONGEST);
    if (space > from) {
      return space;
    }
    int end = from + LONGEST;
    return Character.isLowSurrogate(text.charAt(end)) ? end - 1 : end;
  }

  private static Reader reader(byte[] bytes) throws IOException {
    return Utf8Text.reader("it", new ByteArrayInputStream(bytes));
  }

  private List<Document> lines(Path file, byte[] bytes) throws IOException {
    List<Document> documents = new ArrayList<>();
    try (BufferedReader reader = new BufferedReader(reader(bytes))) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (!line.isBlank()) {
          documents.add(document(file + ", line " + number, line));
        }
      }
    }
    return documents;
  }

  private Document document(String where, String line) {
    Map<String, Object> object;
    try {
      object = JsonFile.readObject(where, line);
    } catch (CheckpointException e) {
      throw new TrainingException(e.getMessage(), e);
    }
    try {
      return document(where, object);
    } catch (IllegalArgumentException e) {
      throw new TrainingException(where + ": " + e.getMessage(), e);
    }
  }

  private Document document(String where, Map<String, Object> object) {
    Object text = object.get("text");
    Object prompt = object.get("prompt");
    Object completion = object.get("completion");
    if (text instanceof String only && prompt == null && completion == null) {
      return Document.of(begin, tokenizer.encodePlain(only), 0, end);
    }
    if (prompt instanceof String asked && completion instanceof String told && text == null) {
      int[] first = tokenizer.encodePlain(asked);
      int[] second = tokenizer.encodePlain(told);
      int[] both = Arrays.copyOf(first, first.length + second.length);
      System.arraycopy(second, 0, both, first.length, second.length);
      return Document.of(begin, both, first.length, end);
    }
    throw new TrainingException(
        where + ": expected either text, or prompt and completion, each a string");
  }
}
