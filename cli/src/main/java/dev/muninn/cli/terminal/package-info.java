/** Standard input and output, and what a person sees there. */
package dev.muninn.cli.terminal;
