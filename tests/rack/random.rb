# frozen_string_literal: true

# Random requests: half from a grammar of tricks, half honest ones with a few
# bytes changed. SEED and N (20000) come from the environment.

require 'json'

SEED = Integer(ENV.fetch('SEED', '1'))
COUNT = Integer(ENV.fetch('N', '20000'))
RANDOM = Random.new(SEED)
REQUESTS = []

def pick(list) = list[RANDOM.rand(list.size)]
def chance(odds) = RANDOM.rand(odds).zero?
def some(most) = Array.new(RANDOM.rand(most)) { yield }

KEYS = ['email', 'user[email]', 'user[email][]', 'user[a][b]', 'username', '_method', 'a', 'a[]', 'a[b]', 'a[][b]', 'a[b][]',
        'user', 'user[]', 'redirect_uris[]', 'redirect_uris', 'client_name', 'email]', '', 'é', 'a b', 'user[em', 'user]', '[a]',
        'user[email]x', 'user[[email]]', "a\nb", 'a;b', 'a%62', 'a(1i)', 'user[email(1i)]', '[]', 'a.b', 'a[b', 'a[ b]'].freeze
VALUES = ['x', 'a@b.test', '', 'put', 'GET', 'ä', "a\r\nb", 'a b', 'a&b', 'a=b', 'a;b', '%', '+', "\0", '1', '--XX', "\r\n--XX",
          '--XX--', '"', '{}', "\xff"].freeze
SEPARATORS = (['&'] * 20 + ['&&', '& ', ';', '&  ', "\n", '&&&', ' &', '&+', '&=', '&?', '&=x&']).freeze

def coded(text)
  text.b.each_char.map do |char|
    next char if char.match?(/[a-z0-9\[\]_@.-]/i) ? !chance(12) : chance(15)
    next '+' if char == ' ' && chance(2)

    format(pick(%w[%%%02x %%%02X]), char.ord)
  end.join
end

def pair = coded(pick(KEYS)).b + (chance(12) ? '' : '=') + (chance(12) ? '' : coded(pick(VALUES)).b)
def pairs = some(5) { pair }.inject { |left, right| left.b + pick(SEPARATORS).b + right.b } || ''

STRINGS = ['x', '\u0065mail', 'a\u0000', '\ud83d\ude00', '\ud800', 'ä', '\q', '\/', '\n', "\t", ''].freeze
NUMBERS = %w[1 0 -1 1.5 1e3 -0 01 123456789012345678901234567890 9223372036854775808 1E5 0.1 2.0 1e-2 NaN].freeze

def value(depth)
  case RANDOM.rand(depth > 3 ? 6 : 9)
  when 0..2 then "\"#{pick(STRINGS)}\""
  when 3 then pick(NUMBERS)
  when 4 then pick(%w[null true false])
  when 5 then pick(%w[{} []])
  when 6 then "[#{some(4) { value(depth + 1) }.join(pick([',', ', ', ',/*c*/']))}]"
  else object(depth + 1)
  end
end

def object(depth = 0)
  members = some(4) { "\"#{pick(%w[email user \u0065mail a _method user[email] _json tempfile])}\":#{value(depth)}" }
  "{#{members.join(',')}#{',' if chance(30)}}"
end

def document
  before = chance(12) ? pick([' ', "\n", "\uFEFF", "//x\n", '/**/']) : ''
  after = chance(12) ? pick([' ', "\n", 'x', '{}', "\0", '//x']) : ''
  before + (chance(8) ? value(0) : object) + after
end

DISPOSITION = 'Content-Disposition: form-data; '
TYPES_OF_PARTS = ['text/plain', 'text/plain; charset=utf-8', 'text/plain; charset=US-ASCII', 'text/plain;charset=iso-8859-1', 'application/json',
                  'text/plain; charset="UTF-8"', 'Text/plain; charset=latin1'].freeze
OTHER_LINES = ['Content-Length: 3', 'Content-Transfer-Encoding: binary', 'Content-Transfer-Encoding: base64', 'X-Y: z', ' folded', 'Content-ID: z',
               "#{DISPOSITION}name=\"two\"", ''].freeze

def disposition(key)
  case RANDOM.rand(14)
  when 0..7 then "#{DISPOSITION}name=\"#{key}\""
  when 8 then "#{DISPOSITION}name=#{key}"
  when 9 then "#{DISPOSITION}name=\"#{key}\"; filename=\"#{pick(['', 'a', 'a;b', 'name=x', '"; name="y'])}\""
  when 10 then "content-disposition:form-data;name=\"#{key}\""
  when 11
    "Content-Disposition: #{pick(%w[attachment form-data FORM-DATA x])}; #{pick(['', 'x=y; ', 'name=q; '])}" \
    "name=\"#{key}\"#{pick(['', ';', ' ', '; name=z', '; x="a"'])}"
  when 12 then "Content-ID: #{key}"
  else "#{DISPOSITION}name='#{key}'"
  end
end

def head
  lines = [disposition(pick(KEYS))]
  lines << "Content-Type: #{pick(TYPES_OF_PARTS)}" if chance(4)
  lines << pick(OTHER_LINES) if chance(8)
  lines.reverse! if chance(4)
  lines.join(chance(25) ? "\n" : "\r\n").b
end

def parts(boundary)
  eol = chance(40) ? "\n" : "\r\n"
  body = (chance(15) ? pick(["\r\n", "x\r\n", ' ']) : '').b
  RANDOM.rand(4).times do
    padding = chance(30) ? pick([' ', "\t", '-', '--']) : ''
    tail = chance(25) ? pick(['', ' ', "\n"]) : eol
    body << "--#{boundary}#{padding}#{eol}".b << head << eol << (chance(25) ? '' : eol) << pick(VALUES).b << tail
  end
  odd = ['', "--#{boundary}\r\n", "--#{boundary}--x", "--#{boundary}-- \r\n", "--#{boundary}--\r\nx", "--#{boundary}--\n\r\n"]
  body << (chance(12) ? pick(odd) : "--#{boundary}--#{pick(["\r\n", ''])}").b
end

TYPES = (['application/x-www-form-urlencoded', 'application/json'] * 6 +
         [nil, 'text/plain', 'application/x-www-form-urlencoded; charset=x', 'APPLICATION/json;', 'multipart/form-data', 'application/problem+json', 'text/x-json',
          'application/ld+json ; a="b"', 'multipart/mixed; boundary=XX', 'multipart/related; boundary=XX', 'application/json, a/b', '', 'x']).freeze
BOUNDARIES = (['XX'] * 6 + ['-', '--', "a'b", '=a=', 'a b', 'XX--', '"XX"', 'XX; charset=utf-8', 'XX;boundary=YY', 'boundary', 'XXY', 'a:b', ' XX',
                            'XX ;x=y', '"X"X"', '"XX', '?', '()']).freeze
MULTIPART = (['multipart/form-data; boundary='] * 8 + ['multipart/form-data;charset=utf-8;boundary=', 'Multipart/Form-Data; BOUNDARY=',
                                                       'multipart/form-data; xboundary=', 'multipart/form-data; boundary =', 'multipart/form-data, boundary=']).freeze

def content
  if RANDOM.rand(10) < 4
    boundary = pick(BOUNDARIES)
    return [pick(MULTIPART) + boundary, parts(chance(12) ? 'XX' : boundary.split(';').first.delete('"'))]
  end
  type = pick(TYPES)
  return [type, pick(['', pairs, document, parts('XX')])] if chance(8)

  [type, type.to_s.match?(/json/i) ? document : pairs]
end

def target(text)
  text = text.b.gsub(/[^!-~]/n) { |char| format('%%%02X', char.ord) }.delete('#"<>\\^`{|}')
  text.empty? ? '/auth' : "/auth?#{text}"
end

def trick
  type, body = content
  method = pick(%w[POST] * 8 + %w[PUT PATCH GET HEAD])
  headers = []
  headers << ['Content-Type', type] if type
  headers << ['Content-Type', 'application/json'] if type && chance(60)
  headers << ['X-HTTP-Method-Override', pick(['PUT', 'put', 'patch', 'GET', 'x', 'POST', ''])] if chance(6)
  headers << ['Content-Encoding', pick(%w[identity gzip])] if chance(40)
  body = '' if %w[GET HEAD].include?(method) && !chance(4)
  { method: method, target: target(chance(2) ? '' : pairs), headers: headers, body: body.b }
end

HONEST = File.readlines(File.join(__dir__, 'vectors.jsonl')).map { |line| JSON.parse(line, max_nesting: 0) }.select { |line| line['honest'] }.freeze
BYTES = "\r\n\t \0\"\\;:,=&%+[](){}-_/.*'<>?#@abXYZ019\xff\xc3\x80".b.chars.freeze

def bend(text, bytes)
  text = text.b
  RANDOM.rand(1..3).times do
    at = RANDOM.rand(text.size + 1)
    case RANDOM.rand(4)
    when 0 then text.insert(at, pick(bytes))
    when 1 then text.slice!(at, RANDOM.rand(1..3))
    when 2 then text[at] = pick(bytes) if at < text.size
    else text.insert(at, text[RANDOM.rand(text.size + 1), RANDOM.rand(1..12)].to_s)
    end
  end
  text
end

def bent
  line = pick(HONEST)
  headers = line['headers'].map(&:dup)
  request = { method: line['method'], target: line['target'], headers: headers, body: line['body'].b }
  if chance(6) && headers[0]
    visible = BYTES.grep(/[ -~]/n)
    headers[0][1] = bend(headers[0][1], visible).delete("\r\n\0\t").strip.force_encoding('UTF-8')
  elsif chance(6)
    request[:target] = target(bend(request[:target].split('?', 2)[1].to_s, BYTES))
  else
    request[:body] = bend(request[:body], BYTES)
  end
  request
end

COUNT.times do |index|
  request = chance(2) ? trick : bent
  REQUESTS << { name: "random #{SEED}/#{index}", honest: false }.merge(request)
end
