/** What a model is trained on: texts, prompts with completions, and generated problems. */
package dev.muninn.train.data;
