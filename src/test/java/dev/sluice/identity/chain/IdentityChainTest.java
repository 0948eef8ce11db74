package dev.sluice.identity.chain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.QuotaUnit;

class IdentityChainTest {

    @ParameterizedTest
    @CsvSource({"gpt-4o,gpt-4o,true", "gpt-4o,gpt-4o-mini,false", "gpt-4o*,gpt-4o,true", "gpt-4o*,gpt-4o-mini,true",
            "*,anything,true", "*-mini,gpt-4o-mini,true", "*-mini,gpt-4o-mini-x,false", "a*b*c,a1b2b3c,true", "a*b*c,acb,false",
            "gpt-?,gpt-4,false", "gpt.4,gpt-4,false", "'','',true", "'',x,false", "**,x,true"})
    void patterns(String pattern, String name, boolean matches) {
        assertThat(ModelPattern.matches(pattern, name)).isEqualTo(matches);
    }

    @Test
    void patternsTakeNoExponentialTime() {
        assertTimeoutPreemptively(Duration.ofSeconds(60),
                () -> assertThat(ModelPattern.matches("*a".repeat(100) + "*b", "a".repeat(10_000))).isFalse());
    }

    @Test
    void mostSpecificPatternApplies() {
        var limits = new OwnLimits(null, LlmRates.NONE, Map.of(),
                Map.of("*", LlmRates.NONE, "gpt*", LlmRates.NONE, "gpt-4*", LlmRates.NONE, "gpt-4o", LlmRates.NONE));
        assertThat(limits.modelPattern("gpt-4o")).isEqualTo("gpt-4o");
        assertThat(limits.modelPattern("gpt-4o-mini")).isEqualTo("gpt-4*");
        assertThat(limits.modelPattern("gpt-5")).isEqualTo("gpt*");
        assertThat(limits.modelPattern("o3")).isEqualTo("*");
        assertThat(OwnLimits.NONE.modelPattern("o3")).isNull();
    }

    @Test
    void everyListMustAllowAModel() {
        var chain = new IdentityChain(null, "a", "t", null, List.of(), List.of(List.of("gpt*", "o3"), List.of("*4o")));
        assertThat(chain.allowsModel("gpt-4o")).isTrue();
        assertThat(chain.allowsModel("o3")).isFalse();
        assertThat(chain.allowsModel("")).isFalse();
        assertThat(IdentityChain.NONE.allowsModel("")).isTrue();
    }

    @Test
    void rootIsTheHighestLevel() {
        assertThat(new IdentityChain("k", "u", "t", "o", List.of(), List.of()).root()).isEqualTo("org:o");
        assertThat(new IdentityChain("k", "u", "t", null, List.of(), List.of()).root()).isEqualTo("team:t");
        assertThat(new IdentityChain("k", "u", null, null, List.of(), List.of()).root()).isEqualTo("user:u");
        assertThat(new IdentityChain("k", null, null, null, List.of(), List.of()).root()).isEqualTo("key:k");
        assertThat(IdentityChain.NONE.root()).isNull();
        assertThat(new IdentityChain(null, "u", null, null, List.of(), List.of()).contains("key:null")).isFalse();
    }

    @Test
    void spellingsThatProvidersAcceptAreOneModel() {
        var chain = new IdentityChain(null, "a", null, null, List.of(), List.of(List.of("GPT-4o*", "o3")));
        var limits = new OwnLimits(null, LlmRates.NONE, Map.of(),
                Map.of("gpt-4o", LlmRates.NONE, "gpt-4*", LlmRates.NONE, "O3-Mini", LlmRates.NONE));
        for (var model : List.of("gpt-4o", "GPT-4o", " gpt-4o", "gpt-4O\n", "Gpt-4o ")) {
            assertThat(chain.allowsModel(model)).as(model).isTrue();
            assertThat(limits.modelPattern(model)).as(model).isEqualTo("gpt-4o");
        }
        assertThat(limits.modelPattern("o3-mini")).isEqualTo("O3-Mini");
        assertThat(chain.allowsModel(" O4")).isFalse();
    }

    @Test
    void resourcesTellTheirUnits() {
        assertThat(LevelResources.unit("llm:budget")).isEqualTo(QuotaUnit.NANODOLLARS);
        assertThat(LevelResources.unit("llm:budget/gpt-4o*")).isEqualTo(QuotaUnit.NANODOLLARS);
        assertThat(LevelResources.unit("llm:tokens/gpt-4o*")).isEqualTo(QuotaUnit.TOKENS);
        assertThat(LevelResources.unit("llm:tokenswap")).isEqualTo(QuotaUnit.REQUESTS);
        assertThat(LevelResources.unit("api")).isEqualTo(QuotaUnit.REQUESTS);
    }
}
