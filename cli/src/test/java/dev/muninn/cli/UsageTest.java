package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.process.ExitCode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UsageTest {

  /** A command line, split at spaces, and a part of the line it gives. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          generate | no prompt: give it as PROMPT, --prompt,
          generate x -p y | more than one prompt
          generate - --prompt-file - | more than one prompt
          generate a b | unexpected argument 'b'; a prompt of several words needs quotes
          generate -5+3= | unknown option '-5+3='; a prompt that begins with - goes
          generate x --temprature 1 | unknown option '--temprature', did you mean --temperature?
          generate x --max-new-tokens 5 | did you mean --max-tokens?
          generate x --max_new_tokens=5 | did you mean --max-tokens?
          generate x --n-predict 5 | did you mean --max-tokens?
          generate x --temp 1 | did you mean --temperature?
          generate x --ctx-size 9 | did you mean --context?
          generate x --top_k 9 | did you mean --top-k?
          generate x --Top-P 0.9 | did you mean --top-p?
          generate x --repeat-penalty 1.1 | did you mean --repetition-penalty?
          generate x --num-steps 4 | did you mean --recurrence?
          train --out x --learning-rates 4 | did you mean --learning-rate?
          score x --max-new-tokens 5 | unknown option '--max-new-tokens'; a prompt
          generate x --flash-attention | unknown option '--flash-attention'; a prompt
          generate x --top-k 40 | --top-k needs --temperature above 0
          generate x --top-p 0.9 | --top-p needs --temperature above 0
          chat --min-p 0.1 | --min-p needs --temperature above 0
          inspect x -m x | more than one model
          generate x -- -n 3 | option '-n' must go before --
          generate x -n | -n/--max-tokens needs a value
          generate x -n 1 -n 2 | -n/--max-tokens is given more than once
          generate x -n 0 | -n/--max-tokens: expected a whole number from 1 to 2147483647, not '0'
          generate x -n 1e3 | expected a whole number from 1 to 2147483647, not '1e3'
          generate x -n 9999999999 | 1 to 2147483647, not '9999999999'
          generate x -r 0 | -r/--recurrence: expected a whole number from 1 to 2147483647, not '0'
          generate x --threads 0 | --threads: expected a whole number from 1 to 4096, not '0'
          generate x --threads 4097 | --threads: expected a whole number from 1 to 4096, not '4097'
          generate x --backend gpu | --backend: 'gpu' is none of auto, vector, tornado
          generate x --backend vector --device gpu-0 | there is no device gpu-0 for the backend vector, only cpu
          generate x --context -1 | expected a whole number from 1 to 2147483647, not '-1'
          generate x --top-k -1 | --top-k: expected a whole number from 0 to 2147483647, not '-1'
          generate x --top-p 0 | --top-p: expected a number above 0, at most 1, not '0'
          generate x --top-p 1.5 | --top-p: expected a number above 0, at most 1, not '1.5'
          generate x --min-p -0.1 | --min-p: expected a number from 0 to 1, not '-0.1'
          generate x --repetition-penalty 0 | expected a number above 0, not '0'
          generate x -t -1 | -t/--temperature: expected a number of at least 0, not '-1'
          generate x -t NaN | -t/--temperature: expected a number of at least 0, not 'NaN'
          generate x -t 1f | -t/--temperature: expected a number of at least 0, not '1f'
          generate x -t 1e99 | -t/--temperature: expected a number of at least 0, not '1e99'
          generate x -t hot | -t/--temperature: expected a number of at least 0, not 'hot'
          generate x -s 0.5 | to 9223372036854775807, not '0.5'
          generate x --state one | --state: expected zero or random, not 'one'
          generate x --state-scale -1 | --state-scale: expected a number of at least 0, not '-1'
          generate x --state zero --state-scale 1 | --state-scale needs --state random
          generate x --system y | --system needs --chat
          generate x --thinking on | --thinking needs --chat
          generate x --chat --thinking maybe | 'maybe' is neither on nor off
          generate --prompt-tokens 1 --chat | --chat needs a text, not --prompt-tokens
          generate --prompt-tokens 1,,2 | --prompt-tokens: expected token ids separated by
          generate --prompt-tokens one | commas, such as 1,2,3, not 'one'
          score | no prompt: give it as PROMPT, --prompt,
          score x -r -1 | -r/--recurrence: expected a whole number from 1 to 2147483647, not '-1'
          score x --stats | unknown option '--stats'
          inspect a b | unexpected argument 'b'
          inspect --chat | unknown option '--chat'
          generat | unknown command 'generat', did you mean generate
          chat x | unexpected argument 'x'
          chat --parallel | unknown option '--parallel'
          chat --lookahead 2 | --lookahead needs --draft-recurrence
          pull | OWNER/NAME[@REVISION] needs a value
          models rm | OWNER/NAME needs a value
          models list | unknown command 'list'
          bench -r 0 | -r/--recurrence: expected whole numbers from 1, such as 4 or 1,4,16
          bench -r 1,,2 | -r/--recurrence: expected whole numbers from 1
          bench -r 4-1 | -r/--recurrence: expected whole numbers from 1
          bench -r 1-4*1 | -r/--recurrence: expected whole numbers from 1
          bench -p 0-8*2 | -p/--prompt-tokens: expected whole numbers from 0
          bench -p 1-5000 | -p/--prompt-tokens: expected at most 1000 numbers
          bench -p 0 -n 0 | -p 0 and -n 0 leave nothing to measure
          bench -p 250 -n 32 | -p 250 and -n 32 are more than the model's context of 256
          bench -o xml | -o/--output: expected md, csv, json or jsonl, not 'xml'
          bench --plot out.jpg | expected a file's name that ends in .svg or .png, not 'out.jpg'
          bench -n 0 --plot out.svg | --plot draws decoding, so -n must not be 0
          bench --dtype f32 | --dtype needs random weights, such as -m small
          bench --min-recurrence 2 | --min-recurrence needs --exit
          bench --exit none,slow | --exit: exit criterion "slow" is none of
          bench --kv full,half | --kv: expected full, budget:N or anchor:N
          bench --kv-type f16 | --kv-type: expected f32, bf16 or q8, not 'f16'
          man nothing | unknown command 'nothing', expected one of generate,
          man bench --to x | --to writes the pages of all commands, not of one
          completion fish | expected bash or zsh, not 'fish'
          help nothing | Unknown subcommand 'nothing'
          """)
  void badUsageIsOneLine(String commandLine, String line) {
    CommandRun.of(commandLine.split(" ")).assertFails(ExitCode.USAGE, line);
  }

  @Test
  void noCommandIsOneLine() {
    CommandRun.of().assertFails(ExitCode.USAGE, "a command is missing");
  }

  @Test
  void emptyTokenListIsOneLine() {
    CommandRun.of("generate", "--prompt-tokens", "")
        .assertFails(ExitCode.USAGE, "--prompt-tokens: expected token ids");
  }

  @Test
  void lineIsOneLineWhateverTheUserTyped() {
    CommandRun.of("generate", "x", "-n", "1\n2\u001b[31m")
        .assertFails(ExitCode.USAGE, "not '1\\n2\\u001b[31m'");
  }

  @Test
  void helpHasHeadings() {
    List<String> headings =
        CommandRun.of("generate", "--help")
            .out()
            .lines()
            .filter(line -> line.endsWith(":") && !line.startsWith(" "))
            .toList();
    assertEquals(
        List.of(
            "Model:",
            "Prompt (one of these):",
            "Conversation:",
            "Depth:",
            "Early exits:",
            "Key-value cache:",
            "Strategy:",
            "Many prompts:",
            "Sampling:",
            "Length:",
            "Output:"),
        headings);
  }

  @Test
  void versionIsTheProjects() {
    CommandRun run = CommandRun.of("--version");
    assertEquals(ExitCode.OK, run.exitCode());
    assertTrue(run.out().matches("muninn \\d+\\.\\d+\\.\\d+\\R"), run.out());
  }
}
