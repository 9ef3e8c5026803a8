/**
 * What a model can do: tasks of problems with known answers, how often a model is right at a number
 * of recurrences, how sure that is, and how many recurrences are enough (arXiv 2502.05171, section
 * 5.2).
 */
package dev.muninn.eval;
