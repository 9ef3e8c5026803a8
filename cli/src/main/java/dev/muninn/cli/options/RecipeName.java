package dev.muninn.cli.options;

import dev.muninn.prepare.Recipe;
import picocli.CommandLine.ITypeConverter;

/** Reads the name of a recipe for prepared weights. */
public final class RecipeName implements ITypeConverter<Recipe> {
  @Override
  public Recipe convert(String value) {
    if (!Recipe.NAMES.contains(value)) {
      throw NumberConverters.expected("one of " + String.join(", ", Recipe.NAMES), value);
    }
    return Recipe.of(value);
  }
}
