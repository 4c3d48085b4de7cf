# frozen_string_literal: true

# Runs every request of requests.rb through the real Rack and ActionDispatch that
# this Ruby loads, and writes vectors.jsonl: one request and its answers a line.
#
#   ruby tests/rack/generate.rb                 Debian 12: apt install ruby-rails
#   GEMS=DIR ruby tests/rack/generate.rb        another stack; DIR holds unpacked
#                                               gems (Debian 13's .debs, extracted)
#
# Answers of other stacks already in the file are kept if their request is unchanged.
# `generate.rb random.rb /tmp/random.jsonl` makes others; TUSKGATE_VECTORS=/tmp/random.jsonl
# then lets the test `equal_to_every_rails_or_refused` read them.

Dir["#{ENV.fetch('GEMS')}/*/lib"].tap { |libs| libs.empty? and abort 'no gems in GEMS' }.each { |lib| $LOAD_PATH.unshift(lib) } if ENV.key?('GEMS')

require 'json'
require 'logger'
require 'stringio'
require 'action_dispatch'
require 'action_controller'
require_relative(ARGV[0] || 'requests')

STACK = "rails-#{ActionPack::VERSION::MAJOR}.#{ActionPack::VERSION::MINOR} " \
        "rack-#{Rack.release.split('.').first(2).join('.')}"
DEEP = { max_nesting: 0 }.freeze
FILE = ARGV[1] || File.join(__dir__, 'vectors.jsonl')

# What Mastodon registers beyond Rails' own: 4.1's three, and one more on main.
json = %w[text/x-json application/jsonrequest application/jrd+json application/activity+json application/ld+json]
json << 'application/problem+json' unless STACK.start_with?('rails-6')
Mime::Type.register 'application/json', :json, json

def env_of(request)
  path, query = request[:target].split('?', 2)
  env = {
    'REQUEST_METHOD' => request[:method], 'PATH_INFO' => path, 'QUERY_STRING' => query.to_s,
    'SCRIPT_NAME' => '', 'SERVER_NAME' => 'localhost', 'SERVER_PORT' => '80',
    'SERVER_PROTOCOL' => 'HTTP/1.1', 'rack.url_scheme' => 'http',
    'rack.input' => StringIO.new(request[:body].b), 'rack.errors' => StringIO.new,
    'action_dispatch.logger' => Logger.new(nil)
  }
  request[:headers].each do |name, value|
    key = name.upcase.tr('-', '_')
    key = "HTTP_#{key}" unless key == 'CONTENT_TYPE'
    env[key] = env.key?(key) ? "#{env[key]}, #{value}" : value.dup
  end
  bodiless = %w[GET HEAD].include?(request[:method]) && request[:body].empty?
  env['CONTENT_LENGTH'] = request[:body].bytesize.to_s unless bodiless
  env
end

def plain(value)
  case value
  when Hash then value.to_h { |key, inner| [key.to_s, plain(inner)] }
  when Array then value.map { |inner| plain(inner) }
  when Integer then value.bit_length > 64 ? { 'not plain' => 'big Integer' } : value
  when String, true, false, nil then value
  else { 'not plain' => value.class.name }
  end
end

def answer(request)
  found = nil
  app = lambda do |env|
    rails = ActionDispatch::Request.new(env)
    rails.content_mime_type
    found = { 'method' => env['REQUEST_METHOD'], 'params' => plain(rails.parameters.to_hash) }
    [200, {}, []]
  end
  Rack::MethodOverride.new(app).call(env_of(request))
  JSON.generate(found, DEEP) # fails on text that is not UTF-8
  found
rescue StandardError, SystemStackError => e
  { 'error' => e.class.name }
end

def head(request)
  line = request.slice(:name, :honest, :method, :target, :headers).transform_keys(&:to_s)
  text = request[:body].dup.force_encoding(Encoding::UTF_8)
  if text.valid_encoding? then line['body'] = text
  else line['body64'] = [request[:body]].pack('m0')
  end
  line
end

old = File.exist?(FILE) ? File.readlines(FILE).map { |line| JSON.parse(line, DEEP) } : []
answers = old.to_h { |line| [line.except('answers'), line['answers']] }
names = REQUESTS.map { |request| request[:name] }
abort "two requests named #{names.tally.key(2)}" if names.uniq.size < names.size

lines = REQUESTS.map do |request|
  line = head(request)
  kept = answers.fetch(JSON.parse(JSON.generate(line, DEEP), DEEP), {})
  JSON.generate(line.merge('answers' => kept.merge(STACK => answer(request)).sort.to_h), DEEP)
end
File.write(FILE, "#{lines.join("\n")}\n")
puts "#{lines.size} vectors, #{STACK}"
