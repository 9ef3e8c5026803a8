package dev.muninn.cli.serve;

import dev.muninn.cli.output.Json;
import java.util.Optional;

/** Why a request is refused, as OpenAI's interface says it. The message is one line. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final String INVALID = "invalid_request_error";
  private static final String SERVER = "server_error";
  private static final String TOO_LONG = "context_length_exceeded";

  private final int status;
  private final String type;
  private final String code;
  private final String field;
  private final int retrySeconds;

  private ApiException(
      int status, String type, String code, String field, int retrySeconds, String message) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.field = field;
    this.retrySeconds = retrySeconds;
  }

  /** The request's content is at fault. */
  static ApiException bad(String message) {
    return new ApiException(400, INVALID, null, null, 0, message);
  }

  /** A field of the request's content is at fault. */
  static ApiException badField(String field, String message) {
    return new ApiException(400, INVALID, "invalid_value", field, 0, field + ": " + message);
  }

  /** A field asks for what there is not, whatever it says. */
  static ApiException unsupported(String field) {
    return unsupported(field, "");
  }

  /**
   * A field asks for what there is not.
   *
   * @param value what it says that is not supported, to stand behind its name
   */
  static ApiException unsupported(String field, String value) {
    return new ApiException(
        400, INVALID, "unsupported_parameter", field, 0, field + value + " is not supported");
  }

  /** The prompt, which is in a field, does not fit the model. */
  static ApiException unfitPrompt(String field, String message) {
    String code = message.contains("too long") || message.contains("context") ? TOO_LONG : null;
    return new ApiException(400, INVALID, code, field, 0, message);
  }

  /** The request is refused before its content matters. */
  static ApiException refused(int status, String code, String message) {
    return new ApiException(status, INVALID, code, null, 0, message);
  }

  /** There is too much to do. */
  static ApiException busy(String message) {
    return new ApiException(429, "rate_limit_error", "queue_full", null, 1, message);
  }

  /** The server is not there yet, or not any more. */
  static ApiException unavailable(String message) {
    return new ApiException(503, SERVER, "unavailable", null, 5, message);
  }

  /** Something went wrong here. */
  static ApiException failed(String message) {
    return new ApiException(500, SERVER, null, null, 0, message);
  }

  int status() {
    return status;
  }

  /** Seconds until another try may succeed. */
  Optional<Integer> retrySeconds() {
    return retrySeconds == 0 ? Optional.empty() : Optional.of(retrySeconds);
  }

  /** The object that OpenAI's clients expect. */
  String json() {
    return Json.object(json -> {
      json.writeObjectPropertyStart("error");
      json.writeStringProperty("message", getMessage());
      json.writeStringProperty("type", type);
      json.writeStringProperty("param", field);
      json.writeStringProperty("code", code);
      json.writeEndObject();
    });
  }
}
