/** The commands that run a model: {@code generate}, {@code score} and {@code depth}. */
package dev.muninn.cli.run;
