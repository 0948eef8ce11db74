package dev.sluice.llm.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

import jakarta.enterprise.inject.spi.Bean;
import jakarta.enterprise.inject.spi.BeanManager;

import org.eclipse.microprofile.rest.client.annotation.RegisterProvider;
import org.junit.jupiter.api.Test;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.LlmProvider;
import dev.sluice.llm.config.TestProviders;
import dev.sluice.llm.protocol.Provider;

class ProviderInterfacesTest {

    @RegisterProvider(LlmRateLimitFilter.class)
    @LlmProvider("gemini")
    interface Named {
        void call();
    }

    @RegisterProvider(LlmRateLimitFilter.class)
    @LlmProvider("nobody")
    interface Misnamed {
        void call();
    }

    @RegisterProvider(LlmRateLimitFilter.class)
    interface Unnamed {
        void call();
    }

    interface Another {
        void call();
    }

    private final ProviderInterfaces interfaces = new ProviderInterfaces(TestProviders.builtIn());

    private static Method call(Class<?> type) throws NoSuchMethodException {
        return type.getDeclaredMethod("call");
    }

    @Test
    void readsProviderOfInterface() throws NoSuchMethodException {
        assertThat(interfaces.providerOf(call(Named.class))).isEqualTo(Provider.GEMINI);
        assertThatIllegalStateException().isThrownBy(() -> interfaces.providerOf(call(Misnamed.class)))
                .withMessageContaining(Misnamed.class.getName()).withMessageContaining("nobody");
        assertThatIllegalStateException().isThrownBy(() -> interfaces.providerOf(call(Unnamed.class)))
                .withMessageContaining(Unnamed.class.getName()).withMessageContaining("@LlmProvider");
        assertThatIllegalStateException().isThrownBy(() -> interfaces.providerOf((Method) null));
    }

    @Test
    void missingProviderAnnotationFailsStartup() {
        var beans = Arrays.stream(new Class<?>[]{Named.class, Misnamed.class, Unnamed.class, Another.class})
                .map(type -> stub(Bean.class, "getTypes", Set.of(type, Object.class))).collect(Collectors.toSet());
        var problems = new ConfigProblems();
        new ProviderInterfacesValidator(interfaces, TestProviders.builtIn()).validate(problems,
                stub(BeanManager.class, "getBeans", beans));
        assertThat(problems.lines()).hasSize(2).anyMatch(line -> line.contains("Misnamed=nobody: openai"))
                .anyMatch(line -> line.contains("Unnamed=(none): openai"));
    }

    private static <T> T stub(Class<T> type, String method, Object result) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type},
                (proxy, called, arguments) -> switch (called.getName()) {
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> proxy == arguments[0];
                    default -> called.getName().equals(method) ? result : null;
                }));
    }
}
