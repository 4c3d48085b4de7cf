# frozen_string_literal: true

# An upload: counted and digested, not kept.
class MediaAttachment < ApplicationRecord
  belongs_to :account

  def self.take(account, file)
    create!(account: account, bytes: file.size, sha256: Digest::SHA256.file(file.tempfile.path).hexdigest, content_type: file.content_type)
  end

  def as_json(*)
    url = "https://mastodon.test/system/media_attachments/#{id}.png"
    { id: id.to_s, type: 'image', url: url, preview_url: url, remote_url: nil, preview_remote_url: nil, text_url: nil, meta: {}, description: nil, blurhash: nil }
  end
end
