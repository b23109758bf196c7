#pragma once

#include <string_view>

namespace paperclip::fake {

/// The JSON Schema of the configuration. read_script() checks the same and says more exactly where.
inline constexpr std::string_view k_config_schema = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "script": {"type": "array", "items": {"$ref": "#/definitions/step"}, "title": "Script"},
    "timeoutSec": {"type": "number", "minimum": 0},
    "graceSec": {"type": "number", "minimum": 0}
  },
  "definitions": {
    "step": {
      "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 2,
      "properties": {
        "say": {"type": "string"},
        "usage": {"type": "object", "additionalProperties": false, "properties": {
          "inputTokens": {"type": "integer", "minimum": 0},
          "cachedInputTokens": {"type": "integer", "minimum": 0},
          "outputTokens": {"type": "integer", "minimum": 0},
          "costUsd": {"type": "number", "minimum": 0},
          "model": {"type": "string"}, "provider": {"type": "string"}}},
        "sleep": {"type": "integer", "minimum": 0, "maximum": 86400000},
        "exec": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "mayFail": {"type": "boolean"},
        "checkout": {"enum": [true]},
        "comment": {"type": "string"},
        "status": {"type": "string", "minLength": 1},
        "create": {"type": "object", "additionalProperties": false, "required": ["title"],
          "properties": {
            "title": {"type": "string", "minLength": 1}, "description": {"type": "string"},
            "priority": {"type": "string"}, "assigneeAgentId": {"type": "string"},
            "status": {"type": "string"}}},
        "session": {"type": "string", "minLength": 1},
        "fail": {"type": "object", "additionalProperties": false, "properties": {
          "class": {"type": "string"}, "code": {"type": "string"},
          "message": {"type": "string"}, "retryAfterSec": {"type": "integer", "minimum": 0}}},
        "hang": {"enum": [true]},
        "repeat": {"type": "object", "additionalProperties": false,
          "required": ["times", "steps"], "properties": {
            "times": {"type": "integer", "minimum": 0, "maximum": 10000},
            "steps": {"type": "array", "items": {"$ref": "#/definitions/step"}}}}
      }
    }
  }
})";

}  // namespace paperclip::fake
