/** What the command's own model says of it elsewhere: manual pages and shell completion. */
package dev.muninn.cli.manual;
