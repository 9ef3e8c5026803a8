/** Training data: texts, prompts with completions, and generated problems. */
package dev.muninn.train.data;
