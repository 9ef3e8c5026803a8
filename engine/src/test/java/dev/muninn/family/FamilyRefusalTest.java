package dev.muninn.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.ModelFiles.Content;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.Rotary;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations and tensors that would be computed wrongly are refused by name, in one line. */
class FamilyRefusalTest {
  private static final String HUGINN = "raven-2-4-2-f32";
  private static final String OURO = "families/ouro-f32";
  private static final String NANBEIGE = "families/nanbeige-f32";
  private static final String LLAMA = "families/retrofit-llama-f32";

  @TempDir private Path temporary;

  private Path change(String fixture, String key, String value, Consumer<Map<String, Content>> edit)
      throws IOException {
    Path model = ModelFiles.copy(Fixture.directory(fixture), temporary.resolve("model"), edit);
    Path config = model.resolve("config.json");
    String text = Files.readString(config);
    if (key != null) {
      // Of two equal keys in an object the file could have either; take the old one out.
      text = text.replaceAll("\"" + key + "\": ([^{\\[,\\n]+|\\{[^}]*\\}),?", "");
      text = text.replaceFirst("\\{", "{ \"" + key + "\": " + value + ",");
      text = text.replaceAll(",\\s*\\}", "}");
    }
    Files.writeString(config, text);
    return model;
  }

  private static String refusal(Path model) {
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      String message =
          assertThrows(CheckpointException.class, () -> ModelFamilies.load(model, checkpoint))
              .getMessage();
      assertEquals(1, message.lines().count(), message);
      assertTrue(message.startsWith(model.toString()), message);
      return message;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        OURO + "|use_sliding_window|true|use_sliding_window is true",
        OURO + "|layer_types|[\"full_attention\",\"sliding_attention\"]|sliding_attention",
        OURO + "|rope_scaling|{\"rope_type\": \"yarn\", \"factor\": 4.0}|rope_scaling.rope_type",
        OURO + "|rope_scaling|{\"type\": \"linear\", \"factor\": 4.0}|rope_scaling.type",
        OURO + "|rope_scaling|{\"factor\": 4.0}|names no rope_type",
        OURO + "|rope_parameters|{\"rope_theta\": 5.0}|contradicts",
        OURO + "|partial_rotary_factor|0.5|partial_rotary_factor",
        OURO + "|num_key_value_heads|3|num_key_value_heads 3",
        OURO + "|num_key_value_heads|0|num_key_value_heads must be from 1",
        OURO + "|head_dim|32|self_attn.q_proj.weight has shape [64, 64], expected [128, 64]",
        OURO + "|head_dim|15|head size must be even",
        OURO + "|hidden_act|\"gelu\"|hidden_act is \"gelu\"",
        OURO + "|attention_bias|true|attention_bias",
        OURO + "|mlp_bias|true|mlp_bias",
        OURO + "|quantization_config|{\"quant_method\": \"gptq\"}|quantization_config",
        OURO + "|total_ut_steps|0|recurrences must be at least 1",
        OURO + "|total_ut_steps|\"four\"|total_ut_steps is \"four\"",
        OURO + "|early_exit_threshold|1.5|threshold must be from 0 to 1",
        OURO + "|rms_norm_eps|-1|rms_norm_eps must not be negative",
        OURO + "|rope_theta|0|rope_theta must be positive",
        OURO + "|num_hidden_layers|2|model.layers.2",
        OURO + "|num_hidden_layers|4|model.layers.3",
        OURO + "|model_type|\"llama\"|\"huginn_raven\" or \"nanbeige\" or \"ouro\"",
        NANBEIGE + "|enable_double_loop_split|true|enable_double_loop_split is true",
        NANBEIGE + "|enable_hyper_connection|true|enable_hyper_connection",
        NANBEIGE + "|enable_mhc|true|enable_mhc",
        NANBEIGE + "|enable_depth_attention|true|enable_depth_attention",
        NANBEIGE + "|qk_layernorm|true|qk_layernorm",
        NANBEIGE + "|ngram_insert_all_layers|true|ngram_insert_all_layers",
        NANBEIGE + "|emb_neighbor_num|2|emb_neighbor_num is 2",
        NANBEIGE + "|insert_ngram_layer_idx|[1]|insert_ngram_layer_idx",
        NANBEIGE + "|loop_share_kv|true|loop_share_kv",
        NANBEIGE + "|num_key_value_heads|4|not a multiple of num_key_value_heads 4",
        NANBEIGE + "|vocab_size|145|expected [145, 60]",
        OURO + "|logit_scale|2.0|logit_scale other than 1",
        OURO + "|no_rope_layers|[1]|no_rope_layers",
        HUGINN + "|alibi|true|alibi is true",
        HUGINN + "|rms_norm_eps|1e-3|rms_norm_eps is not norm_eps",
        HUGINN + "|rope_interleaved|false|rope_interleaved false",
        LLAMA + "|initial_state_mode|\"zero\"|initial_state_mode is \"zero\"",
        LLAMA + "|state_init|\"zero\"|state_init is \"zero\"",
        LLAMA + "|test_time_noise|0.1|test_time_noise is 0.1",
        LLAMA + "|noise|0.1|noise is 0.1",
        LLAMA + "|qk_bias|true|qk_bias",
        LLAMA + "|injection_type|\"add\"|injection_type",
        LLAMA + "|num_key_value_heads|3|not a multiple of num_key_value_heads 3",
        LLAMA + "|num_key_value_heads|4|attn.Wqkv.weight",
        LLAMA + "|rope_scaling|{\"rope_type\": \"llama3\", \"factor\": 8.0}|low_freq_factor",
        HUGINN + "|rope_theta|10000.0|contradict",
        HUGINN + "|rope_parameters|{\"rope_theta\": 10000.0}|contradict",
        HUGINN + "|rope_scaling|{\"rope_type\": \"yarn\", \"factor\": 4.0}|rope_scaling",
        HUGINN + "|test_time_noise|0.5|test_time_noise",
        HUGINN + "|hidden_act|\"gelu\"|hidden_act",
        HUGINN + "|sliding_window|16|sliding_window",
        HUGINN + "|use_sliding_window|true|use_sliding_window",
        HUGINN + "|layer_types|[\"sliding_attention\"]|layer_types",
        HUGINN + "|attention_bias|true|attention_bias",
        HUGINN + "|mlp_bias|true|mlp_bias",
        HUGINN + "|partial_rotary_factor|0.5|partial_rotary_factor",
        HUGINN + "|hidden_size|99|hidden_size is 99 but n_embd is 56",
        HUGINN + "|qk_bias|false|attn.qk_bias",
        HUGINN + "|final_logit_softcapping|30.0|final_logit_softcapping",
        LLAMA + "|hidden_act|\"relu\"|hidden_act",
        LLAMA + "|layer_types|[\"linear_attention\"]|layer_types",
        LLAMA + "|logits_scaling|8.0|logits_scaling",
        OURO + "|clip_qkv|1.0|clip_qkv",
        OURO + "|residual_multiplier|0.2|residual_multiplier",
        OURO + "|use_qk_norm|true|use_qk_norm is true, which is not supported",
        OURO + "|qk_norm|true|qk_norm",
        OURO + "|scale_embeddings|true|scale_embeddings is true",
        OURO + "|embedding_scale|8.0|embedding_scale is 8.0",
        OURO + "|normalize_embeddings|true|normalize_embeddings",
        OURO + "|logit_soft_cap|30.0|logit_soft_cap is 30.0",
        OURO + "|logits_softcap|30.0|logits_softcap",
        OURO + "|attention_window|512|attention_window is 512",
        OURO + "|attention_chunk_size|512|attention_chunk_size",
        OURO + "|attn_output_gate|true|attn_output_gate",
        OURO + "|num_sink_tokens|4|num_sink_tokens",
        OURO + "|use_parallel_residual|true|use_parallel_residual",
        OURO + "|position_embedding_type|\"alibi\"|position_embedding_type is \"alibi\"",
        OURO + "|use_rope|false|use_rope is false, only true is supported",
        OURO + "|is_causal|false|is_causal is false, only true",
        OURO + "|rms_norm_add_unit_offset|true|rms_norm_add_unit_offset",
        OURO + "|layer_norm_eps|1e-3|layer_norm_eps is 0.001, which is not supported",
        OURO + "|mlp_activation|\"gelu\"|mlp_activation is \"gelu\"",
        OURO + "|rotary_pct|0.25|rotary_pct is 0.25",
        OURO + "|rope_ratio|500|rope_ratio is 500",
        OURO + "|rope_local_base_freq|10000.0|rope_local_base_freq",
        OURO + "|q_lora_rank|64|q_lora_rank",
        OURO + "|quantization|{\"bits\": 4}|quantization is {bits=4}",
        OURO + "|num_loops|3|num_loops is 3",
        OURO + "|rope_parameters|{\"full_attention\": {\"rope_theta\": 5.0}}|full_attention",
        OURO + "|rope_scaling|{\"rope_type\": \"default\", \"mrope_section\": [2]}|mrope_section",
        NANBEIGE + "|loop_middle_layers|2|loop_middle_layers is 2",
        NANBEIGE + "|loop_loss_weights|[0.5]|loop_loss_weights is [0.5]",
        NANBEIGE + "|enable_h_res_identity|true|enable_h_res_identity",
        NANBEIGE + "|kv_channels|8|kv_channels is 8 but head_dim is 16",
        HUGINN + "|prelude_norm|true|prelude_norm",
        HUGINN + "|num_hidden_layers|3|num_hidden_layers is 3",
        LLAMA + "|rms_norm_eps|1e-3|rms_norm_eps is 0.001",
        LLAMA + "|rope_interleaved|true|rope_interleaved",
      })
  void isRefusedByName(String fixture, String key, String value, String says) throws IOException {
    String message = refusal(change(fixture, key, value, tensors -> {}));
    assertTrue(message.contains(says), message);
  }

  /** Keys that public files of the families have, and that change nothing in them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        NANBEIGE
            + "|loop_loss_weights|[], `num_residual_streams`: 4, `mhc_sinkhorn_iterations`: 20,"
            + " `mhc_init_gating_factor`: 0.01, `ngram_fused_mode`: `average`, `kv_channels`: 16,"
            + " `depth_attention_static_anchor_once`: true, `depth_attention_stride`: null,"
            + " `emb_neighbor_num`: null, `attention_dropout`: 0.0, `pretraining_tp`: 1,"
            + " `loop_middle_layers`: null, `initializer_range`: 0.02, `use_cache`: true",
        OURO
            + "|layer_types|[`full_attention`], `max_window_layers`: 28, `sliding_window`: 4096,"
            + " `attention_dropout`: 0.0, `initializer_range`: 0.02, `bos_token_id`: 0,"
            + " `_attn_implementation_autoset`: true, `attn_implementation`: `flash_attention_2`,"
            + " `output_attentions`: true, `temperature`: 0.6, `use_rope`: true, `rotary_pct`: 1.0,"
            + " `fuse_norm`: true, `logits_to_keep`: 1, `layer_norm_eps`: 1e-6,"
            + " `rope_parameters`: {`rope_type`: `default`, `rope_theta`: 1000000.0}",
        HUGINN
            + "|test_time_noise_type|`fixed`, `max_position_embeddings`: 4096,"
            + " `init_values`: {`embed_scale`: 7.483314773547883, `out_proj`: 0.01, `std`: 0.0845},"
            + " `embedding_dropout`: 0.1, `residual_in_fp32`: true",
        LLAMA
            + "|max_position_embeddings|131072, `effective_expected_depth`: 132,"
            + " `num_hidden_layers`: 6, `activation_checkpoint_impl`: `per-iteration`",
      })
  void isOfNoConsequence(String fixture, String key, String value) throws IOException {
    Path model = change(fixture, key, value.replace('`', '"'), tensors -> {});
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      ModelFamilies.load(model, checkpoint);
    }
  }

  @Test
  void theShorterOfTwoContextsCounts() throws IOException {
    Path model = change(LLAMA, "max_position_embeddings", "131072", tensors -> {});
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertEquals(256, ModelFamilies.load(model, checkpoint).contextLength());
    }
  }

  @Test
  void gateWithoutBias() throws IOException {
    Path model = change(OURO, null, null, tensors -> tensors.remove("model.early_exit_gate.bias"));
    assertTrue(refusal(model).endsWith("model.early_exit_gate.bias is missing"));
  }

  @Test
  void biasThatWouldBeLeftOut() throws IOException {
    Path model =
        change(
            NANBEIGE,
            null,
            null,
            tensors ->
                tensors.put(
                    "model.layers.0.self_attn.q_proj.bias", ModelFiles.zeros(DType.F32, 96L)));
    assertTrue(refusal(model).endsWith("self_attn.q_proj.bias is not supported"));
  }

  @Test
  void modelWithoutGateRuns() throws IOException {
    Path model =
        change(
            OURO,
            null,
            null,
            tensors -> tensors.keySet().removeIf(name -> name.contains("early_exit_gate")));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertTrue(ModelFamilies.load(model, checkpoint).gate().isEmpty());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "raven-2-4-2-f32,Huginn,PAIRS,50000,1",
    "families/ouro-f32,Ouro,HALVES,1000000,1",
    "families/nanbeige-f32,Nanbeige,HALVES,70000,1",
    "families/retrofit-llama-f32,retrofitted recurrence,HALVES,10000,8",
    "families/retrofit-olmo-f32,retrofitted recurrence,HALVES,500000,1"
  })
  void checkpointsAreRecognised(
      String fixture, String family, Rotary.Layout layout, double base, double stretch) {
    try (Fixture open = new Fixture(fixture)) {
      RecurrentModel model = open.model();
      assertEquals(family, model.family());
      Rotary rotary = model.core().blocks().getFirst().attention().rotary();
      assertEquals(layout, rotary.layout());
      assertEquals(base, rotary.base());
      assertEquals(stretch, rotary.stretch());
    }
  }

  /** Another key for the same number, where the usual one is not there. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"rope_theta|10000.0", "rope_parameters|{\"rope_theta\": 10000.0}"})
  void rotaryBaseUnderItsOtherNames(String key, String value) throws IOException {
    Path model = change(HUGINN, "rope_base", "null", tensors -> {});
    Path config = model.resolve("config.json");
    Files.writeString(
        config, Files.readString(config).replaceFirst("\\{", "{ \"" + key + "\": " + value + ","));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      Rotary rotary =
          ModelFamilies.load(model, checkpoint).core().blocks().getFirst().attention().rotary();
      assertEquals(10_000, rotary.base());
    }
  }

  @Test
  void tiedHeadUnderTheHeadsNameAlone() throws IOException {
    Path model =
        change(
            HUGINN,
            null,
            null,
            tensors -> tensors.put("lm_head.weight", tensors.remove("transformer.wte.weight")));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertTrue(ModelFamilies.load(model, checkpoint).tied());
    }
  }
}
