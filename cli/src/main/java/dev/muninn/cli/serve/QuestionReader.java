package dev.muninn.cli.serve;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Reads the fields of OpenAI's requests, and Muninn's own. Fields that OpenAI defines and Muninn
 * cannot honour are refused by name; names that nobody knows are passed over, as clients expect.
 */
final class QuestionReader {
  private static final int MOST_CHOICES = 128;
  private static final int MOST_STOPS = 16;
  private static final int MOST_ALTERNATIVES = 20;
  private static final int LONGEST_EXIT = 100;

  /** What OpenAI defines beyond what is honoured here. */
  private static final List<String> UNSUPPORTED =
      List.of(
          "tools",
          "tool_choice",
          "functions",
          "function_call",
          "logit_bias",
          "audio",
          "prediction",
          "web_search_options",
          "verbosity",
          "moderation",
          "suffix");

  /** Those of them that can say that nothing is to be chosen. */
  private static final Set<String> CHOICES = Set.of("tool_choice", "function_call");

  private final Defaults defaults;

  QuestionReader(Defaults defaults) {
    this.defaults = defaults;
  }

  /** A request of /v1/chat/completions. */
  Question chat(Fields fields) {
    refuseUnsupported(fields);
    List<ChatMessage> messages = new ArrayList<>();
    for (Fields message : fields.objects("messages")) {
      messages.add(message(message));
    }
    if (messages.isEmpty()) {
      throw ApiException.badField("messages", "expected at least one message");
    }
    Optional<Boolean> thinking =
        fields.has("thinking") ? Optional.of(fields.flag("thinking", false)) : Optional.empty();
    int alternatives = fields.integer("top_logprobs", 0, MOST_ALTERNATIVES, 0);
    boolean probabilities = fields.flag("logprobs", false);
    if (!probabilities && fields.has("top_logprobs")) {
      throw ApiException.badField("top_logprobs", "needs logprobs to be true");
    }
    return question(
        fields,
        "messages",
        List.of(Prompt.chat(messages, thinking)),
        false,
        probabilities ? alternatives : GenerationRequest.NONE,
        1);
  }

  /** A request of /v1/completions. */
  Question completion(Fields fields) {
    refuseUnsupported(fields);
    if (fields.has("best_of")
        && fields.integer("best_of", 1, MOST_CHOICES, 1)
            > fields.integer("n", 1, MOST_CHOICES, 1)) {
      throw ApiException.unsupported("best_of");
    }
    boolean echo = fields.flag("echo", false);
    return question(
        fields,
        "prompt",
        prompts(fields),
        echo,
        fields.integer("logprobs", 0, MOST_ALTERNATIVES, GenerationRequest.NONE),
        echo ? 0 : 1);
  }

  private Question question(
      Fields fields,
      String source,
      List<Prompt> prompts,
      boolean echo,
      int alternatives,
      int leastTokens) {
    int choices = fields.integer("n", 1, MOST_CHOICES, 1);
    int total = choices * prompts.size();
    if (total > MOST_CHOICES) {
      throw ApiException.badField(
          "n", "expected at most " + MOST_CHOICES + " answers in all, not " + total);
    }
    requirePlaces(total + (echo && alternatives >= 0 ? prompts.size() : 0));
    int maxTokens = maxTokens(fields, leastTokens);
    Optional<Long> seed = fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    InitialState initialState =
        seed.map(value -> new InitialState(defaults.initialState().scale(), value))
            .orElse(defaults.initialState());
    int recurrence = recurrence(fields);
    DecodingOptions decoding = decoding(fields);
    String[] stops = fields.texts("stop", MOST_STOPS).toArray(String[]::new);
    boolean ignoreEnd = fields.flag("ignore_eos", false);
    UnaryOperator<GenerationRequest.Builder> settings =
        builder ->
            builder
                .maxTokens(Math.max(1, maxTokens))
                .recurrence(recurrence)
                .initialState(initialState)
                .decoding(decoding)
                .stop(stops)
                .ignoreEndOfSequence(ignoreEnd);
    SamplingOptions sampling = sampling(fields, seed);
    boolean stream = fields.flag("stream", false);
    Optional<Fields> streamOptions = fields.object("stream_options");
    if (streamOptions.isPresent() && !stream) {
      throw ApiException.badField("stream_options", "needs stream to be true");
    }
    return new Question(
        source,
        prompts,
        choices,
        stream,
        streamOptions.map(options -> options.flag("include_usage", false)).orElse(false),
        fields.flag("return_recurrences", false),
        echo,
        alternatives,
        maxTokens > 0,
        settings,
        choice -> sampling.forText(choice == 0 ? null : Integer.toString(choice)));
  }

  /** Refuses what would find the queue full whenever it came. */
  private void requirePlaces(int needed) {
    if (needed > defaults.places()) {
      throw ApiException.badField(
          "n", "needs " + needed + " places in the queue, which has " + defaults.places());
    }
  }

  private void refuseUnsupported(Fields fields) {
    // There is one model, whatever it is called.
    fields.text("model");
    for (String name : UNSUPPORTED) {
      refuseUnlessEmpty(fields, name);
    }
    if (fields.object("response_format").flatMap(format -> format.text("type")).orElse("text")
            instanceof String type
        && !type.equals("text")) {
      throw ApiException.unsupported("response_format", " of type " + Fields.describe(type));
    }
    if (fields.get("modalities").orElse(List.of("text")) instanceof Object modalities
        && !modalities.equals(List.of("text"))) {
      throw ApiException.unsupported("modalities", " other than text");
    }
    if (fields.flag("store", false)) {
      throw ApiException.unsupported("store");
    }
  }

  private static void refuseUnlessEmpty(Fields fields, String name) {
    boolean empty =
        switch (fields.get(name).orElse(null)) {
          case null -> true;
          case Collection<?> list -> list.isEmpty();
          case Map<?, ?> map -> map.isEmpty();
          case String text -> text.isEmpty() || CHOICES.contains(name) && text.equals("none");
          default -> false;
        };
    if (!empty) {
      throw ApiException.unsupported(fields.pathOf(name));
    }
  }

  private static ChatMessage message(Fields fields) {
    String role =
        fields
            .text("role")
            .orElseThrow(() -> ApiException.badField(fields.pathOf("role"), "is missing"));
    for (String name : List.of("tool_calls", "function_call", "audio")) {
      refuseUnlessEmpty(fields, name);
    }
    String content = content(fields);
    return switch (role) {
      case "system", "developer" -> ChatMessage.system(content);
      case "user" -> ChatMessage.user(content);
      case "assistant" -> ChatMessage.assistant(content);
      case "tool", "function" -> throw ApiException.unsupported(fields.pathOf("role"), " " + role);
      default -> throw fields.refusal("role", "system, developer, user or assistant");
    };
  }

  private static String content(Fields fields) {
    if (!(fields.get("content").orElse(null) instanceof List<?>)) {
      return fields
          .text("content")
          .orElseThrow(() -> ApiException.badField(fields.pathOf("content"), "is missing"));
    }
    StringBuilder text = new StringBuilder();
    for (Fields part : fields.objects("content")) {
      String type =
          part.text("type")
              .orElseThrow(() -> ApiException.badField(part.pathOf("type"), "is missing"));
      if (!type.equals("text")) {
        throw ApiException.unsupported(part.pathOf("type"), " " + Fields.describe(type));
      }
      text.append(
          part.text("text")
              .orElseThrow(() -> ApiException.badField(part.pathOf("text"), "is missing")));
    }
    return text.toString();
  }

  private static List<Prompt> prompts(Fields fields) {
    Object value =
        fields.get("prompt").orElseThrow(() -> ApiException.badField("prompt", "is missing"));
    if (value instanceof String text) {
      return List.of(Prompt.text(text));
    }
    if (value instanceof List<?> list && !list.isEmpty()) {
      if (list.stream().allMatch(Long.class::isInstance)) {
        return List.of(tokens(list));
      }
      if (list.size() > MOST_CHOICES) {
        throw ApiException.badField(
            "prompt", "expected at most " + MOST_CHOICES + " prompts, not " + list.size());
      }
      return list.stream().map(QuestionReader::prompt).toList();
    }
    throw fields.refusal("prompt", "a text, an array of tokens, or an array of either");
  }

  private static Prompt prompt(Object value) {
    return switch (value) {
      case String text -> Prompt.text(text);
      case List<?> list when !list.isEmpty() && list.stream().allMatch(Long.class::isInstance) ->
          tokens(list);
      case null, default ->
          throw ApiException.badField(
              "prompt", "expected texts or arrays of tokens, not " + Fields.describe(value));
    };
  }

  private static Prompt tokens(List<?> list) {
    return Prompt.tokens(
        list.stream().mapToInt(token -> Math.clamp((Long) token, -1, Integer.MAX_VALUE)).toArray());
  }

  private int maxTokens(Fields fields, int least) {
    if (fields.has("max_tokens")
        && fields.has("max_completion_tokens")
        && !fields.get("max_tokens").equals(fields.get("max_completion_tokens"))) {
      throw ApiException.badField(
          "max_completion_tokens", "is another name of max_tokens, which says something else");
    }
    String name = fields.has("max_tokens") ? "max_tokens" : "max_completion_tokens";
    return fields.integer(name, least, Integer.MAX_VALUE, defaults.maxTokens());
  }

  private int recurrence(Fields fields) {
    Optional<String> effort = fields.text("reasoning_effort");
    if (effort.isPresent() && !defaults.efforts().containsKey(effort.get())) {
      throw fields.refusal(
          "reasoning_effort",
          "one of " + String.join(", ", defaults.efforts().keySet().stream().sorted().toList()));
    }
    int otherwise = effort.map(defaults.efforts()::get).orElse(defaults.recurrence());
    return fields.integer("recurrence", 1, defaults.mostRecurrence(), otherwise);
  }

  private SamplingOptions sampling(Fields fields, Optional<Long> seed) {
    SamplingOptions usual = defaults.sampling();
    float temperature = fields.real("temperature", 0, 2, usual.temperature());
    // Of nothing at all the likeliest token remains.
    float topP = Math.max(Float.MIN_NORMAL, fields.real("top_p", 0, 1, usual.topP()));
    return new SamplingOptions(
        temperature,
        fields.integer("top_k", 0, Integer.MAX_VALUE, usual.topK()),
        topP,
        fields.real("min_p", 0, 1, usual.minP()),
        repetitionPenalty(fields, usual.repetitionPenalty()),
        fields.real("frequency_penalty", -2, 2, usual.frequencyPenalty()),
        fields.real("presence_penalty", -2, 2, usual.presencePenalty()),
        seed.orElseGet(
            () -> temperature == 0 ? usual.seed() : ThreadLocalRandom.current().nextLong()));
  }

  private static float repetitionPenalty(Fields fields, float usual) {
    float penalty = fields.real("repetition_penalty", 0, 100, usual);
    if (penalty == 0) {
      throw fields.refusal("repetition_penalty", "a number above 0, at most 100");
    }
    return penalty;
  }

  private DecodingOptions decoding(Fields fields) {
    DecodingOptions usual = defaults.decoding();
    Optional<SlotPolicy> policy =
        parsed(fields, "kv", "full, budget:N or anchor:N", SlotPolicy::parse).or(usual::policy);
    Optional<KeyValueType> type =
        parsed(fields, "kv_type", "f32, bf16 or q8", QuestionReader::keyValueType).or(usual::type);
    try {
      return new DecodingOptions(
          policy,
          type,
          exit(fields, usual.exit()),
          fields.flag("warm_start", usual.warmStart()),
          usual.strategy());
    } catch (IllegalArgumentException e) {
      throw ApiException.bad(e.getMessage());
    }
  }

  private static ExitOptions exit(Fields fields, ExitOptions usual) {
    Optional<String> name = fields.text("exit");
    Optional<ExitCriteria.Factory> criterion = usual.criterion();
    if (name.isPresent() && name.get().length() > LONGEST_EXIT) {
      throw fields.refusal("exit", "one of " + ExitCriteria.names() + " or none");
    }
    if (name.isPresent()) {
      try {
        criterion =
            name.get().equals("none")
                ? Optional.empty()
                : Optional.of(ExitCriteria.parse(name.get()));
      } catch (IllegalArgumentException e) {
        throw ApiException.badField("exit", e.getMessage());
      }
    }
    for (String other : List.of("min_recurrence", "exit_every", "prefill_exit")) {
      if (criterion.isEmpty() && fields.has(other)) {
        throw ApiException.badField(other, "needs an exit");
      }
    }
    if (criterion.isEmpty()) {
      return ExitOptions.none();
    }
    return new ExitOptions(
        criterion,
        fields.integer("min_recurrence", 1, Integer.MAX_VALUE, usual.minimumRecurrence()),
        fields.integer("exit_every", 1, Integer.MAX_VALUE, usual.every()),
        parsed(fields, "prefill_exit", "group, row or none", QuestionReader::prefill)
            .orElse(usual.prefill()));
  }

  private static ExitOptions.Prefill prefill(String name) {
    return Arrays.stream(ExitOptions.Prefill.values())
        .filter(value -> value.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(name));
  }

  private static KeyValueType keyValueType(String name) {
    return switch (name) {
      case "f32" -> KeyValueType.F32;
      case "bf16" -> KeyValueType.BF16;
      case "q8" -> KeyValueType.Q8;
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static <T> Optional<T> parsed(
      Fields fields, String name, String expected, Function<String, T> parser) {
    try {
      return fields.text(name).map(parser);
    } catch (IllegalArgumentException e) {
      throw fields.refusal(name, expected);
    }
  }
}
