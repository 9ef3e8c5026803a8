/** Builds the single binary: the image, its AOT cache, and the file that unpacks itself. */
package dev.muninn.binary;
