// A small agent: it runs `echo` and keeps what that prints as the run's summary.
#include <paperclip/cpp/process_agent.hpp>

namespace {

using namespace paperclip::sdk;

class Echo : public ProcessAgent {
 public:
    using ProcessAgent::ProcessAgent;

 protected:
    Spawn command(const Request& request) override {
        return {.argv = {"echo", "Hello", std::string(request.run_id)},
                .cwd = std::string(request.cwd)};
    }
    void line(Actions&, std::int32_t, std::string_view text) override { said_ = text; }
    void complete(Result& result) override { result.summary = said_; }

 private:
    std::string said_;
};

constexpr AdapterType k_type{"echo_cpp", "Echo in C++", "{}", R"({"type":"object"})"};

}  // namespace

PAPERCLIP_AGENT(Echo, "echo-cpp", "0.1.0", k_type)
