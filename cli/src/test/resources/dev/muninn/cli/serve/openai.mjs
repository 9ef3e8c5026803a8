// Asks servers by OpenAI's own client, and prints what it got as one JSON object.
// Arguments: a server, one with a key, the key, one that computes one answer and lets none wait.
import OpenAI from "openai";

const [open, locked, key, small] = process.argv.slice(2);
const client = (baseURL, apiKey, maxRetries) => new OpenAI({ baseURL, apiKey, maxRetries });
const muninn = client(open, "none", 0);
const model = "raven-tiny";
const messages = [{ role: "user", content: "47+8=" }];
const deeper = { recurrence: 5, exit: "kl", ignore_eos: true, return_recurrences: true };

/* How a refusal looks to the client. */
async function refusal(promise) {
  try {
    await promise;
    return { class: "none" };
  } catch (error) {
    return {
      class: error.constructor.name, status: error.status ?? 0, code: error.code ?? "", type: error.type ?? "",
      param: error.param ?? "", message: error.message, retry: error.headers?.get("retry-after") ?? "",
    };
  }
}

async function streamed() {
  const stream = await muninn.chat.completions.create({
    model, messages, max_tokens: 12, stream: true, stream_options: { include_usage: true }, ...deeper,
  });
  const parts = [];
  let usage = null;
  let reason = null;
  for await (const chunk of stream) {
    for (const choice of chunk.choices) {
      if (choice.delta.content) parts.push(choice.delta.content);
      reason = choice.finish_reason ?? reason;
    }
    usage = chunk.usage ?? usage;
  }
  return { parts, usage, reason };
}

async function fullQueue() {
  const long = { model, prompt: "1", max_tokens: 250, recurrence: 256, ignore_eos: true, stream: true };
  const stream = await client(small, "none", 0).completions.create(long);
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  const ask = retries => client(small, "none", retries).completions.create({ model, prompt: "47+8=" });
  const refused = await refusal(ask(0));
  // The client asks again by itself until there is room.
  const later = ask(100);
  await new Promise(resolve => setTimeout(resolve, 500));
  stream.controller.abort();
  return { refused, later: (await later).choices[0].text };
}

const listed = [];
for await (const entry of muninn.models.list()) listed.push(entry.id);
const bad = body => refusal(muninn.chat.completions.create({ model, messages, ...body }));

console.log(JSON.stringify({
  listed,
  chat: await muninn.chat.completions.create({ model, messages, max_tokens: 12, logprobs: true, top_logprobs: 2, ...deeper }),
  streamed: await streamed(),
  helper: await muninn.chat.completions.stream({ model, messages, max_tokens: 12, ...deeper }).finalContent(),
  completion: await muninn.completions.create({ model, prompt: "47+8=", logprobs: 2, max_tokens: 5 }),
  echo: await muninn.completions.create({ model, prompt: "47+8=55", echo: true, logprobs: 1, max_tokens: 1 }),
  locked: (await client(locked, key, 0).completions.create({ model, prompt: "47+8=" })).choices[0].text,
  refusals: {
    field: await bad({ recurrence: 0 }),
    unsupported: await bad({ tools: [{ type: "function", function: { name: "f" } }] }),
    temperature: await bad({ temperature: 3 }),
    key: await refusal(client(locked, "wrong", 0).models.list()),
    model: await refusal(muninn.models.retrieve("other")),
    path: await refusal(muninn.embeddings.create({ model, input: "x" })),
  },
  full: await fullQueue(),
}));
