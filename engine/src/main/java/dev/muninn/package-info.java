/**
 * What a Java program calls: {@link dev.muninn.LanguageModel} loads a model, then generates, scores
 * and traces.
 */
package dev.muninn;
