/**
 * Requests to a model and their results: texts to generate, continuations to score. {@link
 * dev.muninn.serve.ModelService} answers them.
 */
package dev.muninn.serve;
