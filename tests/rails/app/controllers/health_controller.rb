# frozen_string_literal: true

class HealthController < ApplicationController
  def show
    render plain: 'OK'
  end

  def home
    render html: '<!DOCTYPE html><title>Mastodon in tests</title><p>A page for signed-in people.</p>'.html_safe, layout: false
  end
end
