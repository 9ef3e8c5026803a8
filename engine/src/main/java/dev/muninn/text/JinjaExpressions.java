package dev.muninn.text;

import com.hubspot.jinjava.interpret.InterpretException;
import dev.muninn.weights.CheckpointException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rewrites a Jinja template where Jinjava reads it otherwise than Jinja does: {@code not} binds
 * looser than {@code is}, {@code in} and comparisons; the value of a named argument is a whole
 * expression; slices may have a step; values are written as Python writes them; a loop may have a
 * condition; a block takes the spaces before it only at the beginning of a line, and the line break
 * behind it.
 */
final class JinjaExpressions {
  /** What ends the operand of a {@code not}. */
  private static final Set<String> LOOSER =
      Set.of("and", "or", "if", "else", ",", ")", "]", "}", ":", "=");

  private final String template;
  private final StringBuilder result = new StringBuilder();
  private final Set<String> filters = new HashSet<>();

  /** The blocks that are open, and for each loop whether it has a condition. */
  private final Deque<String> blocks = new ArrayDeque<>();

  /** Whether what comes next stands at the beginning of a line. */
  private boolean lineBegins = true;

  private JinjaExpressions(String template) {
    this.template = template;
  }

  /** Takes a template; a line break at its very end is none of the text. */
  static JinjaExpressions of(String template) {
    String text = template.replace("\r\n", "\n");
    JinjaExpressions expressions =
        new JinjaExpressions(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
    expressions.rewrite();
    return expressions;
  }

  /** The template as Jinjava is to read it. */
  String rewritten() {
    return result.toString();
  }

  /** The filters that the template names. */
  Set<String> filters() {
    return filters;
  }

  private void rewrite() {
    int at = 0;
    int open = nextOpen(0);
    while (open >= 0) {
      char kind = template.charAt(open + 1);
      text(at, open, kind != '{');
      if (kind == '#') {
        int close = template.indexOf("#}", open + 2);
        at = close < 0 ? template.length() : close + 2;
        result.append(template, open, at);
      } else {
        at = braces(open, kind == '{' ? "}}" : "%}");
      }
      boolean keepsBreak = kind == '{' || at >= 3 && "+-".indexOf(template.charAt(at - 3)) >= 0;
      lineBegins = !keepsBreak && at < template.length() && template.charAt(at) == '\n';
      if (lineBegins) {
        // Within the braces it is no text, and the lines of errors stay the template's.
        result.insert(result.length() - 2, '\n');
        at++;
      }
      open = nextOpen(at);
    }
    result.append(template, Math.min(at, template.length()), template.length());
  }

  private int nextOpen(int from) {
    for (int open = template.indexOf('{', from);
        open >= 0 && open + 1 < template.length();
        open = template.indexOf('{', open + 1)) {
      if ("{%#".indexOf(template.charAt(open + 1)) >= 0) {
        return open;
      }
    }
    return -1;
  }

  /** Copies text; a block behind it takes the spaces and tabs that begin its line. */
  private void text(int begin, int end, boolean beforeBlock) {
    int kept = end;
    if (beforeBlock && end + 2 < template.length() && "+-".indexOf(template.charAt(end + 2)) < 0) {
      int line = end;
      while (line > begin && " \t".indexOf(template.charAt(line - 1)) >= 0) {
        line--;
      }
      boolean atBegin = line == begin ? lineBegins : template.charAt(line - 1) == '\n';
      kept = atBegin ? line : end;
    }
    result.append(template, begin, kept);
  }

  /** Copies one {@code {{ }}} or {@code {% %}}, and a raw block as a whole; returns its end. */
  private int braces(int open, String close) {
    int begin = open + 2;
    boolean strips = begin < template.length() && template.charAt(begin) == '-';
    boolean keeps = begin < template.length() && template.charAt(begin) == '+';
    begin += strips || keeps ? 1 : 0;
    List<String> tokens = new ArrayList<>();
    int at = begin;
    while (at < template.length() && !closes(close, at, tokens)) {
      int end = tokenEnd(at);
      tokens.add(template.substring(at, end));
      at = end;
    }
    if (at >= template.length()) {
      result.append(template, open, at);
      return at;
    }
    boolean signed = !template.startsWith(close, at);
    String opened = template.substring(open, open + 2) + (strips ? "-" : "");
    String closed = (signed && template.charAt(at) == '-' ? "-" : "") + close;
    at += signed ? 3 : 2;
    String first = tokens.stream().filter(token -> !token.isBlank()).findFirst().orElse("");
    requireKnown(tokens, open);
    if (close.equals("}}")) {
      String expression = String.join("", new Rewriter(tokens).expression());
      result.append(opened).append("((").append(expression).append(")|" + PythonText.FILTER + ")");
      result.append(closed);
    } else if (first.equals("raw")) {
      int end = template.indexOf("endraw", at);
      end = end < 0 ? template.length() : end;
      result.append(template, open, end);
      return end;
    } else {
      block(first, tokens, opened, closed, open);
    }
    return at;
  }

  private boolean closes(String close, int at, List<String> tokens) {
    return template.startsWith(close, at) && (close.equals("%}") || braceDepth(tokens) == 0)
        || template.startsWith("-" + close, at)
        || template.startsWith("+" + close, at);
  }

  private void block(String kind, List<String> tokens, String opened, String closed, int open) {
    boolean declares = kind.equals("macro") || kind.equals("call");
    switch (kind) {
      case "for" -> {
        int condition = condition(tokens);
        if (condition >= 0) {
          blocks.push("for if");
          List<String> loop = new Rewriter(tokens.subList(0, condition)).expression();
          List<String> test =
              new Rewriter(tokens.subList(condition + 1, tokens.size())).expression();
          result.append(opened).append(String.join("", loop)).append(" %}{% if ");
          result.append(String.join("", test)).append(closed);
          return;
        }
        blocks.push("for");
      }
      case "if", "macro", "call" -> blocks.push(kind);
      case "else" -> {
        if (!blocks.isEmpty() && blocks.peek().startsWith("for")) {
          throw problem("else in a loop is not supported", open);
        }
      }
      case "endfor" -> {
        if (!blocks.isEmpty() && blocks.pop().equals("for if")) {
          result.append(opened).append(" endif %}{% endfor ").append(closed);
          return;
        }
      }
      case "endif", "endmacro", "endcall" -> {
        if (!blocks.isEmpty()) {
          blocks.pop();
        }
      }
      default -> {}
    }
    List<String> rewritten = declares ? tokens : new Rewriter(tokens).expression();
    result.append(opened).append(String.join("", rewritten)).append(closed);
  }

  /** Where the {@code if} of {@code for x in y if z} stands, or -1. */
  private static int condition(List<String> tokens) {
    int depth = 0;
    for (int i = 0; i < tokens.size(); i++) {
      String token = tokens.get(i);
      depth += "([{".contains(token) ? 1 : ")]}".contains(token) ? -1 : 0;
      if (token.equals("else")) {
        return -1;
      }
      if (depth == 0 && token.equals("if") && !tokens.subList(i, tokens.size()).contains("else")) {
        return i;
      }
    }
    return -1;
  }

  /** Notes filters; Jinjava has names for its own insides, which are refused. */
  private void requireKnown(List<String> tokens, int open) {
    String before = "";
    for (String token : tokens) {
      if (before.equals("|") && !token.isBlank()) {
        filters.add(token);
      }
      if (token.equals("loop") && "for if".equals(innermostLoop())) {
        throw problem("loop is not supported in a loop with a condition", open);
      }
      if (token.startsWith("____")) {
        throw problem("the name " + CheckpointException.quote(token) + " is not supported", open);
      }
      before = token.isBlank() ? before : token;
    }
  }

  private String innermostLoop() {
    return blocks.stream().filter(block -> block.startsWith("for")).findFirst().orElse("");
  }

  private InterpretException problem(String message, int open) {
    int line = 1 + (int) template.substring(0, open).chars().filter(c -> c == '\n').count();
    return new InterpretException(message, line);
  }

  private static int braceDepth(List<String> tokens) {
    int depth = 0;
    for (String token : tokens) {
      depth += token.equals("{") ? 1 : token.equals("}") ? -1 : 0;
    }
    return depth;
  }

  /** The end of the white space, name, number, string or sign at an index. */
  private int tokenEnd(int begin) {
    char first = template.charAt(begin);
    int end = begin + 1;
    if (first == '\'' || first == '"') {
      while (end < template.length() && template.charAt(end) != first) {
        end += template.charAt(end) == '\\' ? 2 : 1;
      }
      return Math.min(end + 1, template.length());
    }
    if (Character.isWhitespace(first)) {
      while (end < template.length() && Character.isWhitespace(template.charAt(end))) {
        end++;
      }
    } else if (isName(first)) {
      while (end < template.length() && isName(template.charAt(end))) {
        end++;
      }
    } else if (end < template.length()
        && template.charAt(end) == '='
        && "=!<>".indexOf(first) >= 0) {
      end++;
    }
    return end;
  }

  private static boolean isName(char character) {
    return character == '_' || Character.isLetterOrDigit(character);
  }

  private static final Pattern ESCAPED =
      Pattern.compile("(?<!\\\\)((?:\\\\\\\\)*)\\\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})");

  /** Works on the tokens of one expression or tag. */
  private static final class Rewriter {
    private final List<String> tokens;
    private final List<String> out = new ArrayList<>();
    private int at;

    Rewriter(List<String> tokens) {
      this.tokens = tokens;
    }

    List<String> expression() {
      while (at < tokens.size()) {
        step();
      }
      return out;
    }

    private void step() {
      String token = tokens.get(at);
      String previous = previous();
      if (token.equals("not") && !previous.equals("is") && !next(at).equals("in")) {
        negation();
      } else if (token.equals("[") && isOperand(previous) && slice()) {
        return;
      } else if (token.equals("(") || token.equals("[") || token.equals("{")) {
        group(token.equals("(") && isOperand(previous));
      } else {
        out.add(token.startsWith("'") || token.startsWith("\"") ? unescaped(token) : token);
        at++;
      }
    }

    /** A string in which characters that are written by their numbers are themselves. */
    private static String unescaped(String token) {
      return ESCAPED
          .matcher(token)
          .replaceAll(match -> {
            int character = Integer.parseInt(match.group(2).substring(1), 16);
            boolean plain = character >= ' ' && "'\"\\".indexOf(character) < 0;
            return Matcher.quoteReplacement(
                plain ? match.group(1) + (char) character : match.group());
          });
    }

    /** {@code not x is y} becomes {@code (not (x is y))}. */
    private void negation() {
      out.add("(not (");
      at++;
      copyUntilLooser();
      out.add("))");
    }

    private void copyUntilLooser() {
      while (at < tokens.size() && !LOOSER.contains(tokens.get(at))) {
        step();
      }
      // White space before what ends an operand belongs behind the bracket; it does no harm before.
    }

    /** Copies what stands between brackets; in a call, values of named arguments get brackets. */
    private void group(boolean call) {
      out.add(tokens.get(at++));
      while (at < tokens.size() && !Set.of(")", "]", "}").contains(tokens.get(at))) {
        if (call && tokens.get(at).equals("=")) {
          out.add("=(");
          at++;
          while (at < tokens.size() && !Set.of(",", ")").contains(tokens.get(at))) {
            step();
          }
          out.add(")");
        } else {
          step();
        }
      }
      if (at < tokens.size()) {
        out.add(tokens.get(at++));
      }
    }

    /** {@code x[a:b:c]} becomes a call of the method that slices; false if it is no slice. */
    private boolean slice() {
      int depth = 0;
      int end = at;
      List<Integer> colons = new ArrayList<>();
      for (int i = at; i < tokens.size(); i++) {
        String token = tokens.get(i);
        if (token.equals("[") || token.equals("(") || token.equals("{")) {
          depth++;
        } else if (token.equals("]") || token.equals(")") || token.equals("}")) {
          depth--;
        } else if (token.equals(":") && depth == 1) {
          colons.add(i);
        }
        if (depth == 0) {
          end = i;
          break;
        }
      }
      if (colons.isEmpty() || end == at) {
        return false;
      }
      out.add("." + PythonMethods.SLICE + "(");
      int begin = at + 1;
      for (int part = 0; part < 3; part++) {
        int stop = part < colons.size() ? colons.get(part) : part == colons.size() ? end : begin;
        List<String> inside = tokens.subList(Math.min(begin, stop), stop);
        boolean empty = inside.stream().allMatch(String::isBlank);
        out.add(part > 0 ? "," : "");
        out.add(empty ? "none" : String.join("", new Rewriter(inside).expression()));
        begin = Math.min(stop + 1, end);
      }
      out.add(")");
      at = end + 1;
      return true;
    }

    private String previous() {
      for (int i = out.size() - 1; i >= 0; i--) {
        if (!out.get(i).isBlank()) {
          return out.get(i);
        }
      }
      return "";
    }

    private String next(int index) {
      for (int i = index + 1; i < tokens.size(); i++) {
        if (!tokens.get(i).isBlank()) {
          return tokens.get(i);
        }
      }
      return "";
    }

    /** Whether a bracket behind this token belongs to it. */
    private static boolean isOperand(String token) {
      return !token.isEmpty()
          && (token.endsWith(")")
              || token.equals("]")
              || token.startsWith("'")
              || token.startsWith("\"")
              || isName(token.charAt(0)) && !WORDS.contains(token));
    }

    private static final Set<String> WORDS =
        Set.of("and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "do", "call");
  }
}
