package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.weights.DType;
import java.io.StringWriter;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** The config.json of a trained model, with the keys of the public checkpoints. */
final class ConfigJson {
  private static final JsonFactory FACTORY = new JsonFactory();

  private ConfigJson() {}

  static String of(TrainingPlan plan) {
    HuginnConfig config = plan.config();
    StringWriter text = new StringWriter();
    ObjectWriteContext pretty =
        new ObjectWriteContext.Base() {
          @Override
          public tools.jackson.core.PrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter();
          }
        };
    try (JsonGenerator json = FACTORY.createGenerator(pretty, text)) {
      json.writeStartObject();
      json.writeStringProperty("model_type", HuginnConfig.MODEL_TYPE);
      json.writeArrayPropertyStart("architectures");
      json.writeString("RavenForCausalLM");
      json.writeEndArray();
      json.writeStringProperty("architecture_class_name", "RecurrentGPT");
      json.writeStringProperty(
          "block_class_name",
          plan.objective().sandwich() ? "SandwichBlock" : "TransformerPreNormBlock");
      json.writeStringProperty("norm_class_name", "RMSNorm_llama");
      json.writeStringProperty("mlp_class_name", "GatedMLP");
      json.writeStringProperty("nonlin_name", "SiLU");
      json.writeStringProperty("injection_type", "linear");
      json.writeStringProperty("init_strategy", "takase");
      json.writeBooleanProperty("init_orthogonal", false);
      json.writeStringProperty("state_init", "like-init");
      json.writeStringProperty(
          "sampling_scheme",
          plan.objective().fixedDepth() > 0 ? "fixed" : "poisson-lognormal-filling");
      json.writeStringProperty("activation_checkpoint_impl", "per-iteration");
      json.writeNumberProperty("padding_multiple", 1);
      json.writeNumberProperty("test_time_noise", 0);
      json.writeStringProperty("test_time_noise_type", "fixed");
      json.writeBooleanProperty("bias", false);
      json.writeBooleanProperty("qk_bias", config.qkBias());
      json.writeBooleanProperty("tie_embeddings", config.tiedEmbeddings());
      json.writeNumberProperty("n_embd", config.embeddingSize());
      json.writeNumberProperty("n_heads", config.heads());
      json.writeNumberProperty("num_attention_heads", config.heads());
      json.writeNumberProperty("num_key_value_heads", config.heads());
      json.writeNumberProperty("head_dim", config.headSize());
      json.writeNumberProperty("intermediate_size", config.intermediateSize());
      json.writeNumberProperty("n_layers_in_prelude", config.preludeLayers());
      json.writeNumberProperty("n_layers_in_recurrent_block", config.recurrentLayers());
      json.writeNumberProperty("n_layers_in_coda", config.codaLayers());
      json.writeNumberProperty(
          "n_layers", config.preludeLayers() + config.recurrentLayers() + config.codaLayers());
      json.writeNumberProperty(
          "effective_expected_depth", config.effectiveDepth(config.meanRecurrence()));
      json.writeNumberProperty("mean_recurrence", config.meanRecurrence());
      json.writeNumberProperty("mean_backprop_depth", plan.objective().depth());
      json.writeNumberProperty("vocab_size", config.vocabularySize());
      json.writeNumberProperty("padded_vocab_size", config.vocabularySize());
      json.writeNumberProperty("block_size", config.contextLength());
      json.writeNumberProperty("rope_base", config.ropeBase());
      json.writeNumberProperty("norm_eps", config.normEpsilon());
      json.writeStringProperty(
          "torch_dtype", plan.saving().dtype() == DType.BF16 ? "bfloat16" : "float32");
      json.writeEndObject();
    }
    return text.append('\n').toString();
  }
}
