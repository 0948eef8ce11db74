package dev.sluice.llm.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.util.Set;

import jakarta.enterprise.inject.spi.Bean;
import jakarta.enterprise.inject.spi.BeanManager;

import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.LlmRateLimited;
import dev.sluice.llm.LlmTier;
import dev.sluice.llm.LlmUser;
import dev.sluice.llm.config.TestProviders;
import dev.sluice.llm.protocol.Provider;

class LlmMethodsTest {

    @LlmRateLimited("gemini")
    static class Annotated {

        @LlmRateLimited("openia")
        void misspelt() {
        }

        @LlmRateLimited(value = "openai", model = "${no.such.property}")
        void unknownProperty() {
        }

        @LlmRateLimited(value = "openai", tokens = -2)
        void negative() {
        }

        void byItsClass() {
        }

        @LlmRateLimited("${no.such.property:anthropic}")
        void own(@LlmTier String tier, String prompt, @LlmUser Object user) {
        }
    }

    private final LlmMethods methods = new LlmMethods(ConfigProvider.getConfig(), TestProviders.builtIn());

    @ParameterizedTest
    @ValueSource(strings = {"misspelt", "unknownProperty", "negative"})
    void rejectsInvalidAnnotations(String method) {
        assertThatThrownBy(() -> methods.of(Annotated.class, Annotated.class.getDeclaredMethod(method)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void methodAnnotationOverridesClassAnnotation() throws NoSuchMethodException {
        assertThat(methods.of(Annotated.class, Annotated.class.getDeclaredMethod("byItsClass")))
                .isEqualTo(new LlmMethod(Provider.GEMINI, "", -1, -1, -1));
        var own = methods.of(Annotated.class,
                Annotated.class.getDeclaredMethod("own", String.class, String.class, Object.class));
        assertThat(own).isEqualTo(new LlmMethod(Provider.ANTHROPIC, "", -1, 2, 0));
        assertThat(own.user(new Object[]{"pro", "hello", 42})).isEqualTo("42");
        assertThat(own.tier(new Object[]{null, "hello", 42})).isNull();
    }

    @Test
    void everyInvalidAnnotationFailsStartup() {
        var bean = stub(Bean.class, "getBeanClass", Annotated.class);
        var problems = new ConfigProblems();
        methods.validate(problems, stub(BeanManager.class, "getBeans", Set.of(bean)));
        assertThat(problems.lines()).hasSize(3)
                .contains("@LlmRateLimited of " + Annotated.class.getName()
                        + ".misspelt=openia: provider must be openai, anthropic or gemini");
    }

    /** Returns a proxy that implements one method. */
    private static <T> T stub(Class<T> type, String method, Object result) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type},
                (proxy, called, arguments) -> switch (called.getName()) {
                    case "hashCode" -> 1;
                    case "equals" -> proxy == arguments[0];
                    default -> called.getName().equals(method) ? result : null;
                }));
    }
}
