package dev.muninn.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A chat template in Jinja, as models bring it. Thread-safe: one thread renders at a time. */
final class JinjaChatTemplate implements ChatTemplate {
  private static final String ASSISTANT = "assistant";
  private static final List<String> TOKENS =
      List.of("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token");

  /** Marks a special token's name that a message spells; no text has this character. */
  private static final char MARK = '\uFDD0';

  private final String name;
  private final String source;
  private final TokenizerConfig config;

  /** Made for the first conversation: the template engine takes a while to start. */
  private JinjaRenderer renderer;

  /**
   * Takes a template.
   *
   * @param name where it is from, for messages
   * @param config names the special tokens that the template may ask for
   */
  JinjaChatTemplate(String name, String source, TokenizerConfig config) {
    this.name = name;
    this.source = source;
    this.config = config;
  }

  @Override
  public int[] encode(Tokenizer tokenizer, List<ChatMessage> messages, Optional<Boolean> thinking) {
    boolean[] marked = new boolean[1];
    List<Object> values = new ArrayList<>();
    for (ChatMessage message : messages) {
      String role = message.role().equals(ChatMessage.ASSISTANT) ? ASSISTANT : message.role();
      Map<String, Object> value = new HashMap<>();
      value.put("role", mark(role, tokenizer, marked));
      value.put("content", mark(message.content(), tokenizer, marked));
      values.add(value);
    }
    String text = render(values, thinking);
    return marked[0]
        ? tokenizer.encodeMarked(text, MARK)
        : tokenizer.encodeWithSpecials(text, Integer.MAX_VALUE);
  }

  /** The text of a conversation; for tests. */
  synchronized String render(List<Object> messages, Optional<Boolean> thinking) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("a conversation needs at least one message");
    }
    if (thinking.isPresent() && !source.contains("enable_thinking")) {
      throw new IllegalArgumentException(
          name + " does not ask for enable_thinking, so thinking cannot be set");
    }
    Map<String, Object> values = new HashMap<>();
    values.put("messages", messages);
    values.put("tools", null);
    values.put("documents", null);
    values.put("add_generation_prompt", true);
    for (String token : TOKENS) {
      config.token(token).ifPresent(text -> values.put(token, text));
    }
    thinking.ifPresent(on -> values.put("enable_thinking", on));
    if (renderer == null) {
      renderer = new JinjaRenderer(name, source);
    }
    return renderer.render(values);
  }

  /** Puts the mark behind the first character of each special token's name. */
  private static String mark(String text, Tokenizer tokenizer, boolean[] marked) {
    String clean = text.indexOf(MARK) < 0 ? text : text.replace(MARK, '\uFFFD');
    StringBuilder result = null;
    for (int i = 0; i < clean.length(); i++) {
      if (tokenizer.specialAt(clean, i) != null) {
        result = result == null ? new StringBuilder(clean.substring(0, i)) : result;
        result.append(clean.charAt(i)).append(MARK);
        marked[0] = true;
      } else if (result != null) {
        result.append(clean.charAt(i));
      }
    }
    return result == null ? clean : result.toString();
  }
}
