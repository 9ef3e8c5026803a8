/**
 * Text and tokens: the tokenizer, the decoding of a stream, the chat format of the Huginn family,
 * and what ends an answer.
 */
package dev.muninn.text;
