package dev.sluice.annotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LimitedMethodsTest {

    static class Bad {

        @RateLimited
        void nothing() {
        }

        @RateLimited("often")
        void unreadable() {
        }

        @RateLimited(value = "1/s", limit = 1, window = 1)
        void both() {
        }

        @RateLimited(limit = 5)
        void half() {
        }

        @RateLimited("${no.such.property}")
        void unknownProperty() {
        }

        @RateLimited(value = "5/minute", cost = 6)
        void tooExpensive() {
        }

        @RateLimited(value = "5/minute", cost = 0)
        void free() {
        }
    }

    static class Good {

        @RateLimited("${no.such.property:7/minute}")
        void byDefault() {
        }
    }

    private final LimitedMethods methods = new LimitedMethods(ConfigProvider.getConfig());

    @ParameterizedTest
    @ValueSource(strings = {"nothing", "unreadable", "both", "half", "unknownProperty", "tooExpensive", "free"})
    void badAnnotationsAreRefused(String method) {
        assertThatThrownBy(() -> methods.of(Bad.class, Bad.class.getDeclaredMethod(method)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void expressionsHaveDefaults() throws NoSuchMethodException {
        var limits = methods.of(Good.class, Good.class.getDeclaredMethod("byDefault"));
        assertThat(limits.all()).singleElement().satisfies(limit -> {
            assertThat(limit.demand().rate()).hasToString("7/minute");
            assertThat(limit.demand().resource()).isEqualTo(Good.class.getName() + ".byDefault");
        });
    }
}
