# frozen_string_literal: true

# Federation: a signed POST whose signature covers method, path, host, date and
# the digest of the body. It fails if anything on the way changed one byte.
class InboxesController < ActionController::Metal
  KEY = 'tuskgate-test'
  @lock = Mutex.new
  @counts = Hash.new(0)

  class << self
    def counts = @lock.synchronize { @counts.dup }
    def note(result) = @lock.synchronize { @counts[result] += 1 }
    def reset = @lock.synchronize { @counts.clear }
  end

  def create
    result = verified? ? :verified : :refused
    self.class.note(result)
    self.status = result == :verified ? 202 : 401
    self.content_type = 'text/plain'
    self.response_body = "#{result}\n"
  end

  private

  def verified?
    request.body.rewind
    digest = "SHA-256=#{Digest::SHA256.base64digest(request.body.read)}"
    return false unless request.headers['Digest'] == digest

    signature = request.headers['Signature'].to_s.scan(/(\w+)="([^"]*)"/).to_h
    expected = Base64.strict_encode64(OpenSSL::HMAC.digest('SHA256', KEY, signing_string(signature['headers'].to_s.split)))
    ActiveSupport::SecurityUtils.secure_compare(signature['signature'].to_s, expected)
  end

  def signing_string(names)
    names.map do |name|
      next "(request-target): #{request.method.downcase} #{request.get_header('REQUEST_URI')}" if name == '(request-target)'

      "#{name}: #{request.headers[name]}"
    end.join("\n")
  end
end
