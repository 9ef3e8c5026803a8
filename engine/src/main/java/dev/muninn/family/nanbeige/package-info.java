/** The Nanbeige family. */
package dev.muninn.family.nanbeige;
